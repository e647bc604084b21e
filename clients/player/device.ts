/** What this browser calls itself towards the account: an id that stays, and a name that its owner recognises. */
import type { Device } from "../../contracts/web/index.ts";

const KEY = "marquee.device";

/** `Chrome on Windows`. Order matters: Edge and Opera also claim to be Chrome, Chrome also claims to be Safari. */
export function deviceName(userAgent: string): string {
  const browser =
    [
      ["Edg/", "Edge"],
      ["OPR/", "Opera"],
      ["Firefox/", "Firefox"],
      ["Chrome/", "Chrome"],
      ["Safari/", "Safari"],
    ].find(([mark]) => userAgent.includes(mark ?? ""))?.[1] ?? "Browser";
  const system = [
    ["iPhone", "iPhone"],
    ["iPad", "iPad"],
    ["Android", "Android"],
    ["Windows", "Windows"],
    ["Mac OS X", "Mac"],
    ["CrOS", "Chromebook"],
    ["Linux", "Linux"],
  ].find(([mark]) => userAgent.includes(mark ?? ""))?.[1];
  return system === undefined ? browser : `${browser} on ${system}`;
}

function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

let idOfThisPage: string | null = null;

/** Storage may be refused (private windows): then the id lives as long as the page. */
export function thisDevice(): Device {
  if (idOfThisPage === null) {
    try {
      idOfThisPage = localStorage.getItem(KEY);
      if (idOfThisPage === null || !/^[0-9a-f]{32}$/.test(idOfThisPage)) {
        idOfThisPage = randomId();
        localStorage.setItem(KEY, idOfThisPage);
      }
    } catch {
      idOfThisPage = randomId();
    }
  }
  return { id: idOfThisPage, type: "web", name: deviceName(navigator.userAgent) };
}
