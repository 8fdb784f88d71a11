//! The program: hands over to the library and ends with its exit code.

fn main() -> color_eyre::Result<std::process::ExitCode> {
    quarterdeck::wire::main()
}
