// Draws chart specifications. They come finished from the server; only colours are filled in here, because
// only the page knows whether it is light or dark.

let script;

// Plotly's script is most of what a browser has to take in for the page, so it is asked for when there is something
// to draw, and after the frame that shows what is read meanwhile.
function plotly() {
  script ??= new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = document.querySelector("meta[name=plotly]").content;
    element.addEventListener("load", resolve);
    element.addEventListener("error", () => reject(new Error("the chart script did not load")));
    requestAnimationFrame(() => setTimeout(() => document.head.append(element)));
  });
  return script;
}

const CONFIG = {
  displaylogo: false,
  // Where nothing hovers the tools would always cover the legend; a double tap resets a zoom there too.
  displayModeBar: matchMedia("(hover: hover)").matches ? "hover" : false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
};

// What each element shows: { chart, revision }.
const drawn = new Map();
// Elements whose newest chart is not painted yet, and those of them that are near what the reader sees.
const waiting = new Set();
const near = new Set();
// Charts follow their card, whatever changed its size: the window, a tab, a neighbour in the row.
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.classList.contains("js-plotly-plot") && target.offsetWidth > 0) window.Plotly.Plots.resize(target);
  }
});
// A chart that nobody scrolls to is never painted: a long page would freeze while it draws.
const sight = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) near.add(target);
      else near.delete(target);
    }
    paintNext();
  },
  { rootMargin: "300px 0px" },
);
const colors = new Map();

function resolveColor(token) {
  if (!colors.has(token)) {
    const probe = document.createElement("i");
    probe.style.color = token;
    document.body.append(probe);
    colors.set(token, getComputedStyle(probe).color);
    probe.remove();
  }
  return colors.get(token);
}

// A copy with `var(--name)` replaced; Plotly keeps what it is given, so the original stays untouched.
function resolved(value) {
  if (typeof value === "string") return value.startsWith("var(--") ? resolveColor(value) : value;
  if (Array.isArray(value)) return typeof value[0] === "number" ? value.slice() : value.map(resolved);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, resolved(inner)]));
  return value;
}

function paint(element) {
  const { chart, revision } = drawn.get(element);
  const layout = resolved(chart.layout);
  // The same revision keeps what the reader did: zoom, hidden traces.
  layout.uirevision = revision;
  layout.hoverlabel = { bgcolor: resolveColor("var(--surface-2)"), bordercolor: resolveColor("var(--line)"), font: { color: resolveColor("var(--ink)") } };
  layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: resolveColor("var(--ink-3)"), activecolor: resolveColor("var(--accent)") };
  return window.Plotly.react(element, resolved(chart.data), layout, CONFIG);
}

// Draws a chart into an element, or redraws it there, as soon as it is near what the reader sees. `revision` names
// what is shown.
export function draw(element, chart, revision) {
  if (!drawn.has(element)) {
    sizes.observe(element);
    sight.observe(element);
  }
  drawn.set(element, { chart, revision });
  waiting.add(element);
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", chart.summary);
  if (chart.layout.height) element.style.height = `${chart.layout.height}px`;
  paintNext();
}

let painting = false;

// One after the other with a breath between them, so that the page answers meanwhile.
async function paintNext() {
  if (painting) return;
  painting = true;
  for (let element = nextToPaint(); element; element = nextToPaint()) {
    waiting.delete(element);
    try {
      await plotly();
      if (drawn.has(element) && element.isConnected) await paint(element);
    } catch (error) {
      element.textContent = `The chart cannot be drawn: ${error.message}. Reload the page.`;
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
  painting = false;
}

const nextToPaint = () => [...waiting].find((element) => near.has(element));

export function forget(root) {
  for (const element of drawn.keys()) {
    if (!root.contains(element)) continue;
    sizes.unobserve(element);
    sight.unobserve(element);
    near.delete(element);
    waiting.delete(element);
    window.Plotly?.purge(element);
    drawn.delete(element);
  }
}

export function repaint() {
  colors.clear();
  for (const element of drawn.keys()) if (element.isConnected && element.classList.contains("js-plotly-plot")) paint(element);
}
