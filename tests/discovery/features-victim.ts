// Features that are killed while people watch, again and again.
import { startFeatures } from "./features-stage.ts";

const { watch } = await startFeatures(process.argv[2] ?? "");
process.stdout.write("begins\n");
for (;;) await watch(50);
