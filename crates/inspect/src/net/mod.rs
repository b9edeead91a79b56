// SPDX-License-Identifier: Apache-2.0
//! Hosts and URLs, in all the spellings that clients take.

mod allow;
mod host;
mod target;

pub use allow::{AllowList, AllowListError, DEFAULT_HOSTS};
pub use host::{Host, Place};
pub use target::Target;
pub(crate) use target::find_urls;
