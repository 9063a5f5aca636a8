import Glibc
import TestSupport
import Testing

@testable import RPC

/// Which folders a socket may be in.
@Suite struct SocketFolderTests {
    /// The warning or error of `prepare` for `name` below a private folder that `make` has filled.
    private func verdict(
        _ name: String, _ make: (String) -> Void
    ) async throws -> (warning: String, error: String) {
        try await withTemporaryFolder { folder in
            make(folder)
            do throws(AddressError) {
                return (try SocketFolder.prepare(for: folder + "/" + name) ?? "", "")
            } catch {
                return ("", error.description)
            }
        }
    }

    @Test func foldersThatEverybodyMayWriteInAreRefused() async throws {
        for (mode, isRefused) in [(0o700, false), (0o755, false), (0o777, true), (0o702, true), (0o1777, false)] {
            let own = try await verdict("a/g.sock") { folder in
                mkdir(folder + "/a", 0o700)
                chmod(folder + "/a", mode_t(mode))
            }
            #expect(own.error.contains("every user may write") == isRefused, "\(mode): \(own.error)")
            // A user who may write in a folder of the path can replace the folders below it.
            let above = try await verdict("a/b/g.sock") { folder in
                mkdir(folder + "/a", 0o700)
                mkdir(folder + "/a/b", 0o700)
                chmod(folder + "/a", mode_t(mode))
            }
            #expect(above.error.contains("every user may write") == isRefused, "\(mode): \(above.error)")
            // So can a user who may write in the target folder of a link.
            let behind = try await verdict("link/g.sock") { folder in
                mkdir(folder + "/a", 0o700)
                mkdir(folder + "/a/b", 0o700)
                chmod(folder + "/a", mode_t(mode))
                symlink("a/b", folder + "/link")
            }
            #expect(behind.error.contains("every user may write") == isRefused, "\(mode): \(behind.error)")
        }
        let loop = try await verdict("link/g.sock") { symlink("link", $0 + "/link") }
        #expect(loop.error.contains("too many"))
        let missing = try await verdict("none/g.sock") { _ in }
        #expect(missing.error.contains("does not exist"))
        let file = try await verdict("file/g.sock") { close(open($0 + "/file", O_CREAT | O_RDWR, 0o600)) }
        #expect(file.error.contains("not a folder"))
    }

    /// Changes the owner of files, so it requires root.
    @Test func foldersOfOthersAreRefusedAndWhatAnAdministratorMayMeanIsSaid() async throws {
        guard getuid() == 0 else {
            print("skipped: only root can give folders away")
            return
        }
        let own = try await verdict("a/g.sock") { folder in
            mkdir(folder + "/a", 0o700)
            chown(folder + "/a", 65534, 0)
        }
        #expect(own.error.contains("belongs to user 65534"))
        let sticky = try await verdict("a/g.sock") { folder in
            mkdir(folder + "/a", 0o700)
            chmod(folder + "/a", 0o1777)
            chown(folder + "/a", 65534, 0)
        }
        #expect(sticky.error.contains("belongs to user 65534"))
        let link = try await verdict("link/g.sock") { folder in
            mkdir(folder + "/a", 0o700)
            symlink("a", folder + "/link")
            lchown(folder + "/link", 65534, 0)
        }
        #expect(link.error.contains("belongs to user 65534"))
        let above = try await verdict("a/b/g.sock") { folder in
            mkdir(folder + "/a", 0o700)
            mkdir(folder + "/a/b", 0o700)
            chown(folder + "/a", 65534, 0)
        }
        #expect(above.warning.contains("user 65534 owns"))
        let group = try await verdict("a/g.sock") { folder in
            mkdir(folder + "/a", 0o700)
            chown(folder + "/a", 0, 65534)
            chmod(folder + "/a", 0o770)
        }
        #expect(group.warning.contains("group 65534 may write"))
        let fine = try await verdict("g.sock") { _ in }
        #expect(fine.warning.isEmpty && fine.error.isEmpty)
    }

    /// Requires a folder whose parents all belong to root, so it requires root.
    @Test func rootVouchesForTheOwnerOfAFolder() throws {
        guard getuid() == 0 else {
            print("skipped: only root can give folders away")
            return
        }
        var template = Array("/run/genwire-test-XXXXXX".utf8CString)
        let name = try #require(mkdtemp(&template))
        let folder = String(cString: name)
        defer {
            rmdir(folder + "/a/b")
            rmdir(folder + "/a")
            rmdir(folder)
        }
        mkdir(folder + "/a", 0o755)
        #expect(SocketFolder.ownerByRoot(of: folder + "/a") == 0)
        chown(folder + "/a", 65534, 65534)
        #expect(SocketFolder.ownerByRoot(of: folder + "/a") == 65534)
        // Below a user's folder only that user gives.
        mkdir(folder + "/a/b", 0o755)
        chown(folder + "/a/b", 1, 1)
        #expect(SocketFolder.ownerByRoot(of: folder + "/a/b") == nil)
        chmod(folder + "/a", 0o775)
        #expect(SocketFolder.ownerByRoot(of: folder + "/a") == nil)
        chmod(folder + "/a", 0o755)
        chmod(folder, 0o777)
        #expect(SocketFolder.ownerByRoot(of: folder + "/a") == nil)
        #expect(SocketFolder.ownerByRoot(of: folder + "/none") == nil)
    }
}
