//! The attributes of `service-runtime`.
