//! The program: hands over to the library and ends with its exit code.

/// Charts are many small pieces of memory, and pages that are asked for one by one: this allocator is twice as fast at both.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> color_eyre::Result<std::process::ExitCode> {
    quarterdeck::wire::main()
}
