import ArgumentParser
import GenwireCommands
import Glibc

/// Entry point of the `genwire` command. The commands are in `GenwireCommands`, so that tests can run them.
@main
struct Main {
    static func main() async {
        // A closed standard output is reported as EPIPE by the write.
        signal(SIGPIPE, SIG_IGN)
        await GenwireCommand.run(Array(CommandLine.arguments.dropFirst()))
    }
}
