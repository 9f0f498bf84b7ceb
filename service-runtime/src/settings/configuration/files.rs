//! The files that tables name, such as certificates: opened by a check.

use super::load::Loaded;
use crate::config::ConfigErrors;

impl Loaded {
    /// Opens the files that the tables name, as the start of their services does.
    pub(crate) fn open_files(&self) -> Result<(), ConfigErrors> {
        let opened = self.sections.iter().filter_map(|section| {
            let open = section.opens?;
            open(self.snapshot.program(), self.snapshot.root(), section).err()
        });
        ConfigErrors::or(opened.flatten().collect(), ())
    }
}
