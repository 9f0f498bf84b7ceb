//! One lesson each: see the files beside this one.
