// Figures as people read them, the same as the command line writes them: three digits and a unit.

const NONE = "–";

function threeDigits(value) {
  const size = Math.abs(value);
  if (size >= 99.95 || size === 0) return value.toFixed(0);
  if (size >= 9.995) return value.toFixed(1);
  if (size >= 0.9995) return value.toFixed(2);
  return value.toFixed(3);
}

function scaled(value, units) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const fitting = units.find(([scale]) => Math.abs(value) / scale >= 0.9995) ?? units.at(-1);
  return threeDigits(value / fitting[0]) + fitting[1];
}

export const duration = (ns) => scaled(ns, [[1e9, " s"], [1e6, " ms"], [1e3, " µs"], [1, " ns"]]);
export const rate = (perSecond) => scaled(perSecond, [[1e9, " G/s"], [1e6, " M/s"], [1e3, " k/s"], [1, " /s"]]);
export const bytes = (count) => scaled(count, [[2 ** 30, " GiB"], [2 ** 20, " MiB"], [2 ** 10, " KiB"], [1, " B"]]);
export const ratio = (value) => (Number.isFinite(value) ? threeDigits(value) + "×" : NONE);
export const integer = (value) => (Number.isFinite(value) ? value.toLocaleString("en") : NONE);
export const fraction = (value, decimals = 1) => (Number.isFinite(value) ? `${(100 * value).toFixed(decimals)} %` : NONE);
export const decimal = (value, decimals) => (Number.isFinite(value) ? value.toFixed(decimals) : NONE);

export function interval(ci) {
  return ci ? `${threeDigits(ci[0])} to ${threeDigits(ci[1])}` : NONE;
}

export function seconds(value) {
  if (!Number.isFinite(value)) return NONE;
  const whole = Math.max(0, Math.round(value));
  const two = (number) => String(number % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (whole < 60) return `${whole} s`;
  if (minutes < 60) return `${minutes} min ${two(whole)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${two(minutes)} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function moment(rfc3339) {
  const date = new Date(rfc3339);
  return Number.isNaN(date.getTime()) ? rfc3339 : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

// A path is best known by its end.
export const place = (location) => location || "unknown place";

// A count for an operation: often a hundredth or less, and then a thousandth says nothing.
export function small(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  if (value === 0 || Math.abs(value) >= 0.0995) return threeDigits(value);
  return value >= 1e-6 ? value.toPrecision(2).replace(/e.*/, (power) => ` × 10${superscript(power.slice(1))}`) : "< 10⁻⁶";
}

const superscript = (power) => String(Number(power)).replace(/./g, (digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]));
