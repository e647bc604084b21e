// A product that is killed while it rebuilds its read models, again and again.
import { startPlayback } from "./setup.ts";

const host = await startPlayback({ folder: process.argv[2] ?? "" });
process.stdout.write("begins\n");
for (;;) {
  for (const service of ["bookmark", "catalog"]) await host.host.backbone.rebuild(service, ["demo"]);
  process.stdout.write("emptied\n");
}
