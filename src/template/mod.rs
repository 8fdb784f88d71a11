//! Go's text/template: lexer, parser, values and execution.

mod budget;
mod builtins;
mod call;
mod error;
mod evaluate;
mod execute;
pub mod format;
mod function;
mod lex;
mod node;
mod number;
mod parse;
mod set;
mod value;

pub use budget::Budget;
pub use builtins::{builtins, is_true};
pub use error::Error;
pub use execute::{Executor, shortened, without_no_value};
pub use format::{format_float, print_value, quote, type_name};
pub use function::{Function, Host, Parameter};
pub use number::{parse_float, parse_int};
pub use set::Templates;
pub use value::{List, ListKind, Map, MapKind, Str, Structure, Value, lossy, lossy_string};
