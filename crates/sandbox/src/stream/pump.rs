// SPDX-License-Identifier: Apache-2.0
//! The thread that copies input and output of a run.

use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};

use super::feed::Waits;
use super::{Allowance, Feed, PIECE_BYTES, StreamOutcome, Tap};

/// Writes the input, and reads both streams until both have ended, or `ended` becomes readable: then
/// no process of the sandbox is left, and what is still in the pipes is all there will be.
pub(crate) fn pump(
    mut taps: [Tap; 2],
    feed: Option<Feed>,
    mut allowance: Allowance<'_>,
    ended: BorrowedFd<'_>,
) -> [StreamOutcome; 2] {
    // a reader that is gone, or a terminal that is another's for now, is an error of the call, and
    // neither ends nor stops this process
    let mut quiet = SigSet::from(Signal::SIGPIPE);
    quiet.add(Signal::SIGTTIN);
    quiet.add(Signal::SIGTTOU);
    let is_quiet = quiet.thread_block().is_ok();
    let mut feed = feed.filter(|_| is_quiet).and_then(Feed::or_end);
    let mut piece = vec![0_u8; PIECE_BYTES];
    while feed.is_some() || taps.iter().any(Tap::is_open) {
        let Some(seen) = wait(&taps, feed.as_ref(), ended) else {
            continue;
        };
        let [to_feed, at_sink] = seen.feed;
        feed = feed.and_then(|feed| feed.advance(to_feed, at_sink));
        for (tap, ready) in taps.iter_mut().zip(seen.taps) {
            if ready && tap.is_open() {
                tap.advance(&mut piece, &mut allowance);
            }
        }
        if seen.over {
            for tap in &mut taps {
                tap.drain(&mut piece, &mut allowance);
            }
            break;
        }
    }
    taps.map(Tap::finish)
}

/// What can go on.
struct Seen {
    over: bool,
    taps: [bool; 2],
    /// Of what the feed waits for first, and of the command's end where it waits for both.
    feed: [PollFlags; 2],
}

/// Waits until something can go on. `None` when interrupted.
fn wait(taps: &[Tap; 2], feed: Option<&Feed>, ended: BorrowedFd<'_>) -> Option<Seen> {
    let mut fds = vec![PollFd::new(ended, PollFlags::POLLIN)];
    let [first, second] = taps;
    let at_taps = [first, second].map(|tap| {
        let (fd, events) = tap.waits_for()?;
        fds.push(PollFd::new(fd, events));
        fds.len().checked_sub(1)
    });
    let mut at_feed = [None, None];
    match feed.map(Feed::waits_for) {
        None => {}
        Some(Waits::Room(sink)) => {
            at_feed = [Some(fds.len()), None];
            fds.push(PollFd::new(sink, PollFlags::POLLOUT));
        }
        Some(Waits::More(source, sink)) => {
            at_feed = [Some(fds.len()), Some(fds.len().saturating_add(1))];
            fds.push(PollFd::new(source, PollFlags::POLLIN));
            fds.push(PollFd::new(sink, PollFlags::empty()));
        }
    }
    let polled = poll(&mut fds, PollTimeout::NONE);
    if polled == Err(Errno::EINTR) {
        return None;
    }
    let flags = |at: Option<usize>| {
        let found = at.and_then(|at| fds.get(at)).and_then(PollFd::revents);
        found.unwrap_or(PollFlags::empty())
    };
    // if nothing can be waited for, read what there is
    let blind = polled.is_err();
    Some(Seen {
        over: !blind && !flags(Some(0)).is_empty(),
        taps: at_taps.map(|at| at.is_some() && (blind || !flags(at).is_empty())),
        feed: at_feed.map(flags),
    })
}
