/** The part of the web API that a player needs. */
import type {
  Device,
  Heartbeat,
  HeartbeatAnswer,
  PresentProgramme,
  Session,
  TokenAnswer,
} from "../../contracts/web/index.ts";
import type { Http } from "./http.ts";

export interface StopFacts {
  positionS: number;
  durationS: number;
  sequence: number;
}

export interface PlaybackApi {
  start(contentId: string, device: Device): Promise<Session>;
  heartbeat(sessionId: string, beat: Heartbeat): Promise<HeartbeatAnswer>;
  token(sessionId: string): Promise<TokenAnswer>;
  /** Ends the session. Works while the page goes away, hence no answer. */
  stop(sessionId: string, facts: StopFacts): void;
  /** Ends a session on another device, to make room for this one. */
  endStream(sessionId: string): Promise<void>;
  /** What a channel shows now. */
  programme(channelId: string): Promise<PresentProgramme>;
}

export function createPlaybackApi(http: Http): PlaybackApi {
  return {
    start: (contentId, device) => http.call("/playback/sessions", { method: "POST", body: { contentId, device } }),
    heartbeat: (sessionId, beat) =>
      http.call(`/playback/sessions/${sessionId}/heartbeats`, { method: "POST", body: beat, keepalive: true }),
    token: (sessionId) => http.call(`/playback/sessions/${sessionId}/token`, { method: "POST" }),
    stop(sessionId, facts) {
      const url = `${http.base}/playback/sessions/${sessionId}/stop`;
      const body = new Blob([JSON.stringify(facts)], { type: "application/json" });
      if (navigator.sendBeacon(url, body)) return;
      // The browser's beacon queue is full: a request that may outlive the page is the next best thing, and nobody waits for it.
      http
        .call(`/playback/sessions/${sessionId}/stop`, { method: "POST", body: facts, keepalive: true })
        .catch(() => undefined);
    },
    programme: (channelId) => http.call(`/channels/${channelId}/programme`),
    async endStream(sessionId) {
      await http.call(`/streams/${sessionId}`, { method: "DELETE" });
    },
  };
}
