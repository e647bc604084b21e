import { mkdir } from "node:fs/promises";
import path from "node:path";
import { resultsFolder } from "./harness.ts";
import { openExcerpts } from "./per-title/sources.ts";
import { openLaboratory } from "./per-title/encodes.ts";

const folder = path.resolve(resultsFolder(), "per-title");
await mkdir(folder, { recursive: true });
const only = process.argv[2];
const began = performance.now();
const say = (t: string) => console.log(((performance.now() - began) / 1000).toFixed(1), t);
const lab = await openLaboratory(folder);
if (!lab) throw new Error("no vmaf");
const excerpts = await openExcerpts(folder, (name) => only === undefined || only.split(",").includes(name));
say("excerpts");
for (const of of excerpts) {
  const { displayWidth: w, displayHeight: h } = of.source.video;
  say(`${of.name} ${w}x${h} ${((of.source.sizeBytes * 8) / 1000 / of.source.durationS).toFixed(0)} kbps`);
  const even = (v: number) => 2 * Math.round(v / 2);
  const sizes = [1080, 720, 540, 360, 240]
    .filter((s) => s <= Math.min(720, (w * 9) / 16 + 1))
    .map((s) => {
      const scale = Math.min(1, (s * 16) / 9 / w, s / h);
      return { width: even(w * scale), height: even(h * scale) };
    });
  const probes = sizes.flatMap((size) => [24, 36].map((crf) => ({ ...size, crf })));
  const c = await lab.complexity(of, probes);
  say(
    JSON.stringify({
      ...c,
      probes: c.probes.map((p) => [p.height, p.crf, Math.round(p.bitrateKbps), p.psnrDb, p.ssim].join("/")),
    }),
  );
  for (const size of sizes) {
    const row: string[] = [];
    for (const crf of [20, 27, 34, 41]) {
      const m = await lab.encode(of, { codec: "h264", ...size, bitrateKbps: 20000, crf });
      row.push(`${crf}: ${m.kbps.toFixed(0)} ${m.vmaf.toFixed(1)}`);
    }
    say(`  ${size.height} ${row.join(" | ")}`);
  }
}
