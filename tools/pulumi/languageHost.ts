/**
 * A stand-in for Pulumi's own language host for Node.js programs, used only where the official one is missing: it can't
 * be had from a package registry. It runs programs for preview, up, refresh, destroy and the Automation API, and policy packs. It
 * does not generate code (`pulumi convert`, `pulumi package add`) and does not run other packages' plugins written in Node.js.
 *
 * The engine starts it with its own address as the last argument, reads the port from the first line of its standard
 * output, and calls it by gRPC. The protocol:
 * https://github.com/pulumi/pulumi/blob/master/proto/pulumi/language.proto
 */
import { Server, ServerCredentials } from "@grpc/grpc-js";
import languageServices from "@pulumi/pulumi/proto/language_grpc_pb.js";
import { languageService } from "./languageService.ts";

const engineAddress = process.argv.at(-1) ?? "";
const service = languageService(engineAddress);
const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
server.addService(languageServices.LanguageRuntimeService, service.handlers);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
  process.stdout.write(`${port}\n`);
});

function end(): void {
  service.stop();
  process.exit(0);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, end);
// The engine holds the other end of standard input: it closes when the engine ends, however it ends.
process.stdin.on("end", end).on("error", end).resume();
