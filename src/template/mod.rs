//! Go's text/template: lexer, parser, values, execution and errors.
