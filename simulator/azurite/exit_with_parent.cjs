// Preloaded into Azurite: its stdin is a pipe from the parent, which ends when the parent does.
process.stdin.on("end", () => process.kill(process.pid, "SIGTERM"));
process.stdin.resume();
process.stdin.unref();
