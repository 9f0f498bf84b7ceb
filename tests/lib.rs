//! Shared by the tests: fixtures started as processes, and what they print.
