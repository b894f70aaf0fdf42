//! What a process that mostly waits keeps in memory.

use std::io::{Read, Result};

/// Standard input of a process that gives memory back when nothing has come for a while.
pub struct Waiting<R>(
    /// What reads it. It must not hold back bytes that it has read already.
    pub R,
);

impl<R: Read> Read for Waiting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if is_silent() {
            forget_program();
        }
        self.0.read(buffer)
    }
}

/// Whether nothing comes for a second.
#[cfg(target_os = "linux")]
fn is_silent() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let a_second = Timespec { tv_sec: 1, tv_nsec: 0 };
    poll(&mut [PollFd::new(&std::io::stdin(), PollFlags::IN)], Some(&a_second)) == Ok(0)
}

#[cfg(not(target_os = "linux"))]
fn is_silent() -> bool {
    false
}

/// Gives back what this process has mapped of its own program: a page that is needed again is mapped again.
///
/// The system maps up to half a megabyte around each page that is touched, and a start touches far more than the
/// waiting after it. Nothing needs to be read from the disk again while the program is in the system's cache. Outside
/// Linux it does nothing.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "neither the program's own headers nor this advice have a safe call")]
pub fn forget_program() {
    // SAFETY: `forget` has the type that is asked for, ignores its last argument, and does not unwind.
    unsafe { libc::dl_iterate_phdr(Some(forget), std::ptr::null_mut()) };
}

/// Does nothing on this system.
#[cfg(not(target_os = "linux"))]
pub fn forget_program() {}

/// Is called for the program first, and ends the walk there: libraries are other people's.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "as above")]
unsafe extern "C" fn forget(
    program: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    _nothing: *mut libc::c_void,
) -> libc::c_int {
    const DONE: libc::c_int = 1;
    // SAFETY: asks for a number.
    let Ok(page) = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }) else { return DONE };
    // SAFETY: the loader passes a valid description, whose headers live as long as the program.
    let (base, headers) = unsafe {
        let program = &*program;
        (program.dlpi_addr, std::slice::from_raw_parts(program.dlpi_phdr, usize::from(program.dlpi_phnum)))
    };
    // A part that may be written is not what the file says any more, even where the loader has closed it since.
    for part in headers.iter().filter(|part| part.p_type == libc::PT_LOAD && part.p_flags & libc::PF_W == 0) {
        let from = base.wrapping_add(part.p_vaddr);
        let (Ok(from), Ok(to)) = (usize::try_from(from), usize::try_from(from.wrapping_add(part.p_memsz))) else {
            continue;
        };
        // Whole pages only: what shares one with a neighbour stays.
        let (from, to) = (from.next_multiple_of(page), to / page * page);
        if from < to {
            // SAFETY: these pages map the program's file and were never written: they read the same afterwards. A
            // refusal changes nothing.
            unsafe { libc::madvise(std::ptr::with_exposed_provenance_mut(from), to - from, libc::MADV_DONTNEED) };
        }
    }
    DONE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_goes_on_as_before() {
        let before = format!("{:?}", std::env::args());
        forget_program();
        assert_eq!(format!("{:?}", std::env::args()), before);
    }
}
