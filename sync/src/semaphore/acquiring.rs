//! What both semaphores offer alike: the ways to acquire, and to close.

/// Panics where no semaphore has as many permits as `$call` asks for, so that it would wait for ever. That can only be
/// where `usize` has 32 bits; elsewhere nothing of this is left.
macro_rules! assert_within_max {
    ($n:ident, $Semaphore:ident :: $call:ident) => {
        assert!(
            $n as usize <= Permits::MAX,
            concat!(
                stringify!($Semaphore),
                "::",
                stringify!($call),
                "({}): more permits than ",
                stringify!($Semaphore),
                "::MAX_PERMITS"
            ),
            $n
        )
    };
}
pub(super) use assert_within_max;

/// Writes those methods for a semaphore, given the names of its permits and futures.
macro_rules! acquiring_methods {
    ($Semaphore:ident, $Permit:ident, $OwnedPermit:ident, $Acquire:ident, $AcquireOwned:ident) => {
        impl $Semaphore {
            /// Permits that nobody holds now. Those that a large request at the head of the queue waits for are among them, though
            /// nobody else can acquire them.
            pub fn available_permits(&self) -> usize {
                self.permits().available()
            }

            /// Acquires a permit, waiting for its turn.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future gives up its place in the queue; permits that were granted to it meanwhile go to the
            /// next in the queue.
            ///
            /// # Errors
            ///
            /// [`AcquireError`](crate::AcquireError) if the semaphore is closed, or is while this waits.
            ///
            /// # Examples
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")] async fn main() {
            #[doc = concat!("let semaphore = sync::", stringify!($Semaphore), "::new(1);")]
            /// let permit = semaphore.acquire().await.expect("never closed");
            /// assert_eq!(semaphore.available_permits(), 0);
            /// drop(permit);
            /// assert_eq!(semaphore.available_permits(), 1);
            /// # }
            /// ```
            #[track_caller]
            #[inline]
            pub fn acquire(&self) -> $Acquire<'_> {
                self.acquire_many(1)
            }

            /// Acquires `n` permits at once, waiting for its turn. Zero are ready at once.
            ///
            /// # Cancel safety
            ///
            /// As for [`acquire`](Self::acquire).
            ///
            /// # Errors
            ///
            /// As for [`acquire`](Self::acquire).
            ///
            /// # Panics
            ///
            /// If `n` is more than [`MAX_PERMITS`](Self::MAX_PERMITS), as a `u32` can be where `usize` has 32 bits.
            ///
            /// # Examples
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")] async fn main() {
            #[doc = concat!("let semaphore = sync::", stringify!($Semaphore), "::new(4);")]
            /// let permits = semaphore.acquire_many(3).await.expect("never closed");
            /// assert_eq!(permits.num_permits(), 3);
            /// assert_eq!(semaphore.available_permits(), 1);
            /// # }
            /// ```
            #[track_caller]
            #[inline]
            pub fn acquire_many(&self, n: u32) -> $Acquire<'_> {
                assert_within_max!(n, $Semaphore::acquire_many);
                $Acquire { semaphore: self, n, acquisition: Acquisition::new(Site::here()) }
            }

            /// As [`acquire`](Self::acquire), with a permit that owns an `Arc` of the semaphore.
            ///
            /// # Cancel safety
            ///
            /// As for [`acquire`](Self::acquire).
            ///
            /// # Errors
            ///
            /// As for [`acquire`](Self::acquire).
            ///
            /// # Examples
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")] async fn main() {
            /// use std::sync::Arc;
            ///
            #[doc = concat!("let semaphore = Arc::new(sync::", stringify!($Semaphore), "::new(1));")]
            /// let permit = Arc::clone(&semaphore).acquire_owned().await.expect("never closed");
            /// // The task takes it along, and gives it back at its end.
            /// tokio::spawn(async move { drop(permit) }).await.unwrap();
            /// assert_eq!(semaphore.available_permits(), 1);
            /// # }
            /// ```
            #[track_caller]
            #[inline]
            pub fn acquire_owned(self: Arc<Self>) -> $AcquireOwned {
                self.acquire_many_owned(1)
            }

            /// As [`acquire_many`](Self::acquire_many), with a permit that owns an `Arc` of the semaphore.
            ///
            /// # Cancel safety
            ///
            /// As for [`acquire`](Self::acquire).
            ///
            /// # Errors
            ///
            /// As for [`acquire`](Self::acquire).
            ///
            /// # Panics
            ///
            /// If `n` is more than [`MAX_PERMITS`](Self::MAX_PERMITS), as a `u32` can be where `usize` has 32 bits.
            #[track_caller]
            #[inline]
            pub fn acquire_many_owned(self: Arc<Self>, n: u32) -> $AcquireOwned {
                assert_within_max!(n, $Semaphore::acquire_many_owned);
                $AcquireOwned { semaphore: Some(self), n, acquisition: Acquisition::new(Site::here()) }
            }

            /// Acquires a permit if one is free and nobody waits.
            ///
            /// # Errors
            ///
            /// [`TryAcquireError::NoPermits`] if that is not so, [`TryAcquireError::Closed`] if the semaphore is closed.
            ///
            /// # Examples
            ///
            /// ```
            /// use sync::TryAcquireError;
            ///
            #[doc = concat!("let semaphore = sync::", stringify!($Semaphore), "::new(1);")]
            /// let permit = semaphore.try_acquire().unwrap();
            /// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
            /// drop(permit);
            /// semaphore.close();
            /// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
            /// ```
            #[track_caller]
            #[inline]
            pub fn try_acquire(&self) -> Result<$Permit<'_>, TryAcquireError> {
                self.try_acquire_many(1)
            }

            /// Acquires `n` permits if they are free and nobody waits.
            ///
            /// # Errors
            ///
            /// As for [`try_acquire`](Self::try_acquire).
            ///
            /// # Panics
            ///
            /// If `n` is more than [`MAX_PERMITS`](Self::MAX_PERMITS), as a `u32` can be where `usize` has 32 bits.
            #[track_caller]
            #[inline]
            pub fn try_acquire_many(&self, n: u32) -> Result<$Permit<'_>, TryAcquireError> {
                assert_within_max!(n, $Semaphore::try_acquire_many);
                let hold = self.try_take(n, Site::here())?;
                Ok($Permit { semaphore: self, n: n as usize, hold })
            }

            /// As [`try_acquire`](Self::try_acquire), with a permit that owns an `Arc` of the semaphore.
            ///
            /// # Errors
            ///
            /// As for [`try_acquire`](Self::try_acquire).
            #[track_caller]
            #[inline]
            pub fn try_acquire_owned(self: Arc<Self>) -> Result<$OwnedPermit, TryAcquireError> {
                self.try_acquire_many_owned(1)
            }

            /// As [`try_acquire_many`](Self::try_acquire_many), with a permit that owns an `Arc` of the semaphore.
            ///
            /// # Errors
            ///
            /// As for [`try_acquire`](Self::try_acquire).
            ///
            /// # Panics
            ///
            /// If `n` is more than [`MAX_PERMITS`](Self::MAX_PERMITS), as a `u32` can be where `usize` has 32 bits.
            #[track_caller]
            #[inline]
            pub fn try_acquire_many_owned(self: Arc<Self>, n: u32) -> Result<$OwnedPermit, TryAcquireError> {
                assert_within_max!(n, $Semaphore::try_acquire_many_owned);
                let hold = self.try_take(n, Site::here())?;
                Ok($OwnedPermit { semaphore: self, n: n as usize, hold })
            }

            /// Acquires a permit, parking the thread until it is this call's turn, among those who await
            /// [`acquire`](Self::acquire) too.
            ///
            /// For threads that run no tasks. It works anywhere, but cannot know where it is: on a thread of an
            /// executor it keeps every task of that thread from running, and waits for ever if the permits are held
            /// by one of them.
            ///
            /// # Errors
            ///
            /// As for [`acquire`](Self::acquire).
            ///
            /// # Examples
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")] async fn main() {
            /// use std::sync::Arc;
            ///
            #[doc = concat!("let semaphore = Arc::new(sync::", stringify!($Semaphore), "::new(1));")]
            /// let permit = semaphore.acquire().await.unwrap();
            /// let thread = std::thread::spawn({
            ///     let semaphore = Arc::clone(&semaphore);
            ///     move || semaphore.blocking_acquire().is_ok()
            /// });
            /// drop(permit);
            /// assert!(thread.join().unwrap());
            /// # }
            /// ```
            #[track_caller]
            #[inline]
            pub fn blocking_acquire(&self) -> Result<$Permit<'_>, AcquireError> {
                self.blocking_acquire_many(1)
            }

            /// As [`blocking_acquire`](Self::blocking_acquire), for `n` permits at once.
            ///
            /// # Errors
            ///
            /// As for [`acquire`](Self::acquire).
            ///
            /// # Panics
            ///
            /// If `n` is more than [`MAX_PERMITS`](Self::MAX_PERMITS), as a `u32` can be where `usize` has 32 bits.
            #[track_caller]
            #[inline]
            pub fn blocking_acquire_many(&self, n: u32) -> Result<$Permit<'_>, AcquireError> {
                assert_within_max!(n, $Semaphore::blocking_acquire_many);
                if !trace::is_verbose() && self.permits().take_free(n) {
                    return Ok($Permit { semaphore: self, n: n as usize, hold: Hold::none() });
                }
                blocking::wait(self.acquire_many(n))
            }

            /// As [`blocking_acquire`](Self::blocking_acquire), with a permit that owns an `Arc` of the semaphore.
            ///
            /// # Errors
            ///
            /// As for [`acquire`](Self::acquire).
            #[track_caller]
            #[inline]
            pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<$OwnedPermit, AcquireError> {
                self.blocking_acquire_many_owned(1)
            }

            /// As [`blocking_acquire_many`](Self::blocking_acquire_many), with a permit that owns an `Arc` of the
            /// semaphore.
            ///
            /// # Errors
            ///
            /// As for [`acquire`](Self::acquire).
            ///
            /// # Panics
            ///
            /// If `n` is more than [`MAX_PERMITS`](Self::MAX_PERMITS), as a `u32` can be where `usize` has 32 bits.
            #[track_caller]
            #[inline]
            pub fn blocking_acquire_many_owned(
                self: Arc<Self>,
                n: u32,
            ) -> Result<$OwnedPermit, AcquireError> {
                assert_within_max!(n, $Semaphore::blocking_acquire_many_owned);
                if !trace::is_verbose() && self.permits().take_free(n) {
                    return Ok($OwnedPermit { semaphore: self, n: n as usize, hold: Hold::none() });
                }
                blocking::wait(self.acquire_many_owned(n))
            }

            /// Closes the semaphore: every wait, present and to come, ends with an error. What was granted before is kept,
            /// and permits may still be given back.
            ///
            /// # Examples
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")] async fn main() {
            #[doc = concat!("let semaphore = sync::", stringify!($Semaphore), "::new(1);")]
            /// let permit = semaphore.acquire().await.unwrap();
            /// let (waiter, ()) = tokio::join!(semaphore.acquire(), async { semaphore.close() });
            /// assert!(waiter.is_err());
            /// // What was granted before is kept, and comes back.
            /// drop(permit);
            /// assert_eq!(semaphore.available_permits(), 1);
            /// assert!(semaphore.acquire().await.is_err());
            /// # }
            /// ```
            pub fn close(&self) {
                self.permits().close();
            }

            /// Whether it was closed.
            pub fn is_closed(&self) -> bool {
                self.permits().is_closed()
            }
        }
    };
}
pub(super) use acquiring_methods;
