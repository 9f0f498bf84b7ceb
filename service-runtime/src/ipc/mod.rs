//! What the processes of one program say to each other.

pub(crate) mod protocol;
