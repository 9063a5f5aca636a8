import ArgumentParser
import GenwireCommands
import Glibc

/// The program; its commands are a library, so that tests can run them too.
@main
struct Main {
    static func main() async {
        // A reader that has gone is noticed at the write.
        signal(SIGPIPE, SIG_IGN)
        await GenwireCommand.run(Array(CommandLine.arguments.dropFirst()))
    }
}
