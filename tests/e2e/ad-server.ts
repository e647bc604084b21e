/** An ad server of somebody else's: a VAST document of a few ads, their films, and every beacon that it was sent. */
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

export const QUARTILES = ["complete", "firstQuartile", "midpoint", "start", "thirdQuartile"];

export interface AdServer {
  readonly vastUrl: string;
  /** `{seconds of the ad}/{event}?{transaction}`, in their order. */
  readonly beacons: string[];
  close(): void;
}

/** Its ads are as long as `adsS` says; `{seconds}.mp4` in `folder` are their films. */
export async function openAdServer(folder: string, adsS: readonly number[]): Promise<AdServer> {
  const beacons: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    if (path === "/vast") response.end(document());
    else if (path.startsWith("/films/")) createReadStream(join(folder, path.slice("/films/".length))).pipe(response);
    else {
      beacons.push(path.slice(1));
      response.end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const document = (): string =>
    `<VAST version="3.0">${adsS
      .map(
        (
          durationS,
        ) => `<Ad id="${durationS}" sequence="${durationS}"><InLine><AdSystem>e2e</AdSystem><AdTitle>${durationS} s</AdTitle>
        <Impression>${url}/${durationS}/impression?[TRANSACTIONID]</Impression><Creatives><Creative><Linear><Duration>00:00:${durationS}</Duration>
        <TrackingEvents>${QUARTILES.map((event) => `<Tracking event="${event}">${url}/${durationS}/${event}?[TRANSACTIONID]</Tracking>`).join("")}</TrackingEvents>
        <MediaFiles><MediaFile delivery="progressive" type="video/mp4" width="320" height="180">${url}/films/${durationS}.mp4</MediaFile></MediaFiles>
        </Linear></Creative></Creatives></InLine></Ad>`,
      )
      .join("")}</VAST>`;
  return {
    vastUrl: `${url}/vast`,
    beacons,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
