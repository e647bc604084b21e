// A product that is killed: it beats as fast as it can, and says which beat was acknowledged last.
import { calm, startPlayback } from "./setup.ts";

const host = await startPlayback({ folder: process.argv[2] ?? "" });
await host.addFilm("film");
const viewer = await host.newViewer();
const device = { id: "tv", type: "web", name: "TV" };
const { session } = await host.sessions.start({ contentId: "film", device }, host.context({ viewer }));
const sessionId = session?.id ?? "";
await host.bookmarks.save({ profileId: viewer.profileId, contentId: "film" }, host.context({ viewer }));
for (let sequence = 0; ; sequence++) {
  await host.sessions.beat(calm(sessionId, sequence, sequence), host.context({ viewer }));
  process.stdout.write(`${JSON.stringify({ ...viewer, sessionId, sequence })}\n`);
}
