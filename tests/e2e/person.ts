/** Somebody at a browser that runs no script: cookies, forms and the API, by plain HTTP. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Session } from "#contracts/web";

const REDIRECTS_MAX = 12;

export interface Account {
  readonly name: string;
  readonly email: string;
  readonly password: string;
}

export const ALEX = { name: "Alex", email: "alex@demo.test", password: "marquee-demo" } as const satisfies Account;
export const SAM = { name: "Sam", email: "sam@demo.test", password: "marquee-demo" } as const satisfies Account;

/** An account that nobody else uses, for what changes it. It exists once somebody has signed up with it. */
export function newAccount(name: string): Account {
  return {
    name,
    email: `${name.toLowerCase()}-${randomBytes(4).toString("hex")}@e2e.test`,
    password: "a long enough one",
  };
}

export interface Answer {
  readonly status: number;
  readonly url: string;
  readonly headers: Headers;
  readonly text: string;
}

export interface ApiAnswer<T> {
  readonly status: number;
  readonly body: T;
}

export interface Person {
  readonly account: Account;
  /** Name and value of every cookie, as a Cookie header has them. */
  cookie(): string;
  get(path: string): Promise<Answer>;
  post(path: string, form: Readonly<Record<string, string>>): Promise<Answer>;
  /** Asks the web API as our own page does; answers also when it refuses. */
  api<T>(method: string, path: string, body?: unknown): Promise<ApiAnswer<T>>;
}

export async function signUp(baseUrl: string, account: Account): Promise<Person> {
  const person = visitor(baseUrl, account);
  const page = await person.get("/sign-up");
  const interaction = new URL(page.url).searchParams.get("interaction") ?? "";
  const { name, email, password } = account;
  const landed = await person.post("/sign-up", { interaction, name, email, password });
  assert.equal(landed.status, 200, `signing up ended at ${landed.url} with ${landed.status}`);
  return chosen(person);
}

export async function signIn(baseUrl: string, account: Account): Promise<Person> {
  const person = visitor(baseUrl, account);
  const page = await person.get("/sign-in");
  const interaction = new URL(page.url).searchParams.get("interaction") ?? "";
  const landed = await person.post("/sign-in", { interaction, email: account.email, password: account.password });
  assert.equal(landed.status, 200, `signing in ended at ${landed.url} with ${landed.status}`);
  return chosen(person);
}

/** With the account's first profile: nobody can watch without one. */
async function chosen(person: Person): Promise<Person> {
  const { status, body } = await person.api<{ profiles: { id: string }[] }>("GET", "/profiles");
  assert.equal(status, 200, `the profiles could not be read: ${JSON.stringify(body)}`);
  const [first] = body.profiles;
  assert.ok(first, "somebody who has just signed up has a profile");
  const { status: selected } = await person.api("POST", `/profiles/${first.id}/select`, {});
  assert.equal(selected, 204);
  return person;
}

export function visitor(baseUrl: string, account: Account): Person {
  const jar = new Map<string, string>();
  const cookie = (): string => [...jar].map(([name, value]) => `${name}=${value}`).join("; ");

  async function send(url: string, init: RequestInit): Promise<Response> {
    const response = await fetch(url, {
      ...init,
      redirect: "manual",
      headers: { ...init.headers, cookie: cookie(), accept: "text/html,application/json" },
      signal: AbortSignal.timeout(30_000),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split(";");
      const [name = "", ...value] = pair.split("=");
      const isOver = attributes.some((attribute) => /^\s*(expires=Thu, 01 Jan 1970|max-age=0\b)/i.test(attribute));
      if (isOver) jar.delete(name);
      else jar.set(name, value.join("="));
    }
    return response;
  }

  async function follow(url: string, init: RequestInit): Promise<Answer> {
    let target = url;
    let request = init;
    for (let hops = 0; hops < REDIRECTS_MAX; hops++) {
      const response = await send(target, request);
      const location = response.headers.get("location");
      if (response.status < 300 || response.status >= 400 || location === null) {
        return { status: response.status, url: target, headers: response.headers, text: await response.text() };
      }
      await response.body?.cancel();
      target = new URL(location, target).href;
      request = { method: "GET" };
    }
    throw new Error(`more than ${REDIRECTS_MAX} redirects from ${url}, the last one to ${target}`);
  }

  return {
    account,
    cookie,
    get: (path) => follow(new URL(path, baseUrl).href, { method: "GET" }),
    post: (path, form) =>
      follow(new URL(path, baseUrl).href, {
        method: "POST",
        body: new URLSearchParams(form),
        headers: { origin: new URL(baseUrl).origin },
      }),
    async api<T>(method: string, path: string, body?: unknown): Promise<ApiAnswer<T>> {
      const response = await send(`${baseUrl}/api/web/v1${path}`, {
        method,
        headers: { "x-marquee": "web", ...(body === undefined ? {} : { "content-type": "application/json" }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: (text === "" ? null : JSON.parse(text)) as T };
    },
  };
}

export interface PersonsDevice {
  readonly id: string;
  readonly type: "web";
  readonly name: string;
}

export const device = (name: string): PersonsDevice => ({ id: randomBytes(12).toString("hex"), type: "web", name });

/** Starts playback by the API; fails where it is refused. */
export async function startSession(person: Person, contentId: string, on: PersonsDevice): Promise<Session> {
  const { status, body } = await person.api<Session>("POST", "/playback/sessions", { contentId, device: on });
  assert.equal(status, 201, `playback was refused: ${JSON.stringify(body)}`);
  return body;
}
