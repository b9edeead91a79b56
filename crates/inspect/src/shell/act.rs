// SPDX-License-Identifier: Apache-2.0
//! What a command does that leaves this machine, or runs other code.

use super::command::{Flow, Origin};

/// How a target is talked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Asked for something.
    Get,
    /// Sent something by a request.
    Send,
    /// Files are copied to it.
    Copy,
    /// Raw bytes, both ways: `nc`, `socat`, `/dev/tcp`.
    Raw,
    /// A raw connection that only looks whether a port is open.
    Probe,
    /// A command is run on it.
    Remote,
    /// A tunnel to it.
    Tunnel,
    /// Its name is looked up, or it is pinged.
    Lookup,
    /// Commits are pushed to it.
    Push,
    /// A package, an image is fetched from it and installed.
    Install,
    /// Something is published on it.
    Publish,
    /// Requests go through it.
    Proxy,
    /// It is named in an argument of a program that is not known.
    Mention,
}

/// One thing that a command does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Talks to the target at a place in `Program::targets`.
    Connect {
        way: Way,
        target: usize,
        /// What is sent as a body, a file, or on a socket.
        data: Flow,
        /// What stands in the URL or name itself.
        name: Flow,
        /// What stands in headers.
        header: Flow,
        /// The text of what is sent, as far as it is known.
        text: String,
        /// The text of headers.
        head: String,
        origin: Origin,
    },
    /// Sends to a service that has no host in the call: a bucket, a gist, a mailbox.
    Upload {
        service: &'static str,
        data: Flow,
        text: String,
        origin: Origin,
    },
    /// Runs code that came from there.
    Execute { flow: Flow, origin: Origin },
    /// Writes code to where it runs later.
    Persist { flow: Flow, origin: Origin },
    /// What is run cannot be told.
    Dynamic { origin: Origin },
    /// Talks to, or opens this machine to, what the call does not say.
    Opens {
        what: &'static str,
        deny: bool,
        origin: Origin,
    },
}
