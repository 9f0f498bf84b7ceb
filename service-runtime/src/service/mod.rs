//! services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
/// What a reload does with the workers.
pub enum RestartMethod {
    /// Each is replaced.
    #[default]
    Reload,
    /// Each stays.
    Mutate,
}
