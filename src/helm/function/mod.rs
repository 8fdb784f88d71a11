//! The functions that charts can call: sprig's and helm's.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::template::Function;

/// Finds a function by the name that templates call it by; Go's own built-in ones are not here.
pub(super) fn find(name: &str) -> Option<Function> {
    static BY_NAME: LazyLock<HashMap<&str, Function>> = LazyLock::new(|| {
        TABLES.iter().flat_map(|table| table.iter()).map(|function| (function.name, *function)).collect()
    });
    BY_NAME.get(name).copied()
}

/// One table for each kind of function.
static TABLES: &[&[Function]] = &[];
