//! Threads, mutexes, condition variables: `parking_lot`'s in production, steps of a [`crate::sched::Scheduler`] in simulation.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::sched;

/// A mutual exclusion lock. Never poisoned: a panic while it is held is dealt with by its owner.
#[derive(Default)]
pub struct Mutex<T: ?Sized>(parking_lot::Mutex<T>);

/// Access to what a [`Mutex`] holds; releases on drop.
pub struct MutexGuard<'a, T: ?Sized> {
    /// `None` only while a condition variable has it.
    inner: Option<parking_lot::MutexGuard<'a, T>>,
    mutex: &'a Mutex<T>,
}

fn address<T: ?Sized>(x: &T) -> usize {
    std::ptr::from_ref(x).cast::<u8>() as usize & !1
}

impl<T> Mutex<T> {
    /// A mutex around `value`.
    pub const fn new(value: T) -> Mutex<T> {
        Mutex(parking_lot::Mutex::new(value))
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock.
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        sched::yield_point();
        if let Some(inner) = self.0.try_lock() {
            return MutexGuard { inner: Some(inner), mutex: self };
        }
        self.lock_slow()
    }

    #[cold]
    fn lock_slow(&self) -> MutexGuard<'_, T> {
        while sched::is_simulated() {
            if let Some(inner) = self.0.try_lock() {
                return MutexGuard { inner: Some(inner), mutex: self };
            }
            sched::block(address(self), None);
        }
        MutexGuard { inner: Some(self.0.lock()), mutex: self }
    }

    /// The lock, if nobody has it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        sched::yield_point();
        Some(MutexGuard { inner: Some(self.0.try_lock()?), mutex: self })
    }

    /// The value, through an exclusive reference.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.inner = None;
        sched::wake(address(self.mutex), usize::MAX);
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        self.inner.as_ref().expect("held")
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("held")
    }
}

/// A condition variable for [`Mutex`].
#[derive(Default)]
pub struct Condvar(parking_lot::Condvar);

impl Condvar {
    /// A condition variable nobody waits for.
    pub const fn new() -> Condvar {
        Condvar(parking_lot::Condvar::new())
    }

    /// Waits until notified.
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        self.wait_inner(guard, None);
    }

    /// Waits until notified or for `timeout`; true when the time ran out.
    pub fn wait_for<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, timeout: Duration) -> bool {
        self.wait_inner(guard, Some(timeout))
    }

    fn wait_inner<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, timeout: Option<Duration>) -> bool {
        if sched::is_simulated() {
            guard.inner = None;
            sched::wake(address(guard.mutex), usize::MAX);
            let woken = sched::block(address(self), timeout).unwrap_or(true);
            let mutex = guard.mutex;
            let mut again = mutex.lock();
            guard.inner = again.inner.take();
            return !woken;
        }
        let inner = guard.inner.as_mut().expect("held");
        match timeout {
            None => {
                self.0.wait(inner);
                false
            }
            Some(t) => self.0.wait_for(inner, t).timed_out(),
        }
    }

    /// Wakes one waiter.
    pub fn notify_one(&self) {
        self.0.notify_one();
        sched::wake(address(self), 1);
    }

    /// Wakes all waiters.
    pub fn notify_all(&self) {
        self.0.notify_all();
        sched::wake(address(self), usize::MAX);
    }
}

/// A readers-writer lock.
#[derive(Default)]
pub struct RwLock<T: ?Sized>(parking_lot::RwLock<T>);

/// Shared access to what an [`RwLock`] holds.
pub struct ReadGuard<'a, T: ?Sized> {
    inner: Option<parking_lot::RwLockReadGuard<'a, T>>,
    key: usize,
}

/// Exclusive access to what an [`RwLock`] holds.
pub struct WriteGuard<'a, T: ?Sized> {
    inner: Option<parking_lot::RwLockWriteGuard<'a, T>>,
    key: usize,
}

impl<T> RwLock<T> {
    /// A lock around `value`.
    pub const fn new(value: T) -> RwLock<T> {
        RwLock(parking_lot::RwLock::new(value))
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits for shared access.
    #[inline]
    pub fn read(&self) -> ReadGuard<'_, T> {
        sched::yield_point();
        let key = address(self);
        while sched::is_simulated() {
            if let Some(inner) = self.0.try_read() {
                return ReadGuard { inner: Some(inner), key };
            }
            sched::block(key, None);
        }
        ReadGuard { inner: Some(self.0.read()), key }
    }

    /// Waits for exclusive access.
    #[inline]
    pub fn write(&self) -> WriteGuard<'_, T> {
        sched::yield_point();
        let key = address(self);
        while sched::is_simulated() {
            if let Some(inner) = self.0.try_write() {
                return WriteGuard { inner: Some(inner), key };
            }
            sched::block(key, None);
        }
        WriteGuard { inner: Some(self.0.write()), key }
    }
}

impl<T: ?Sized> Drop for ReadGuard<'_, T> {
    fn drop(&mut self) {
        self.inner = None;
        sched::wake(self.key, usize::MAX);
    }
}
impl<T: ?Sized> Drop for WriteGuard<'_, T> {
    fn drop(&mut self) {
        self.inner = None;
        sched::wake(self.key, usize::MAX);
    }
}
impl<T: ?Sized> Deref for ReadGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.inner.as_ref().expect("held")
    }
}
impl<T: ?Sized> Deref for WriteGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.inner.as_ref().expect("held")
    }
}
impl<T: ?Sized> DerefMut for WriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("held")
    }
}

/// A running thread.
pub struct JoinHandle<T> {
    handle: std::thread::JoinHandle<std::thread::Result<T>>,
    seat: Option<sched::Seat>,
}

impl<T> JoinHandle<T> {
    /// Whether this is the calling thread.
    pub fn is_current(&self) -> bool {
        self.handle.thread().id() == std::thread::current().id()
    }

    /// Waits for the thread's end; `Err` holds its panic.
    pub fn join(self) -> std::thread::Result<T> {
        if let Some(seat) = self.seat {
            while !seat.is_done() && sched::is_simulated() {
                sched::block(seat.join_key(), None);
            }
        }
        self.handle.join().and_then(|outcome| outcome)
    }
}

/// Starts a thread; under a scheduler, one that it schedules.
///
/// # Panics
/// When the operating system refuses a thread.
pub fn spawn<T: Send + 'static>(name: &str, f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let seat = sched::seat(name);
    let taken = seat.as_ref().map(sched::Seat::share);
    let handle = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || match taken {
            Some(seat) => seat.run(f),
            None => std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)),
        })
        .expect("the system gives a thread");
    sched::yield_point();
    JoinHandle { handle, seat }
}
