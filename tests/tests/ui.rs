//! What the macros accept, and what they and the compiler say about the rest.
//!
//! `TRYBUILD=overwrite cargo test -p tests --test ui` writes the expectations anew.

#[test]
fn mistakes_are_explained_and_programs_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/service_struct/*.rs");
    cases.compile_fail("ui/service_impl/*.rs");
    cases.compile_fail("ui/hook/*.rs");
    cases.compile_fail("ui/periodic/*.rs");
    cases.compile_fail("ui/config/*.rs");
    cases.compile_fail("ui/launch/*.rs");
    cases.compile_fail("ui/yours/*.rs");
}
