#!/usr/bin/env node
// A person with a browser, without either: opens an authorization URL, fills in the forms that it meets, and ends at
// the loopback redirect; for an address of the device flow, at the page that says so. Stands as `xdg-open` on PATH where a test needs a sign-in.
//
// Settings: SIGN_IN_AS (ada), BROWSER_LOG (a file that gets one line per visit), BROWSER_JAR (a file that keeps cookies
// from one visit to the next, as a browser does; without it each visit is a browser of its own).
// Ends with 0 when the loopback listener answered well, else with 1 and one line on standard error.

import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';

const STEPS = 20;
const person = process.env.SIGN_IN_AS ?? 'ada';
const jar = process.env.BROWSER_JAR;
const cookies = new Map(jar && existsSync(jar) ? JSON.parse(readFileSync(jar, 'utf8')) : []);

try {
  const start = new URL(process.argv[2] ?? '');
  // A request that was pushed to the issuer (RFC 9126) does not say here where it ends; every way back of ours has one path.
  const known = start.searchParams.get('redirect_uri');
  const redirect = known ? new URL(known) : undefined;
  const typesCode = start.searchParams.has('user_code');
  note(start);
  const { status, text } = await signIn(start, redirect, typesCode);
  if (status >= 400) throw new Error(`the redirect was answered with ${status}: ${text.slice(0, 200)}`);
} catch (error) {
  process.stderr.write(`browser: ${error.message}\n`);
  process.exit(1);
}

async function signIn(start, redirect, typesCode) {
  let page = await visit(start);
  for (let step = 0; step < STEPS; step += 1) {
    if (typesCode ? page.text.includes('You are signed in') : isRedirect(page.url, redirect)) return page;
    if (page.location) {
      page = await visit(new URL(page.location, page.url));
    } else {
      page = await submit(page);
    }
  }
  throw new Error(`no end at ${redirect?.origin ?? start.origin} after ${STEPS} steps`);
}

/** RFC 8252 §7.3: the port was chosen by the program, so origin and path say that this is its listener. */
function isRedirect(url, redirect) {
  if (!redirect) return url.hostname === '127.0.0.1' && url.pathname === '/callback';
  return url.origin === redirect.origin && url.pathname === redirect.pathname;
}

async function submit(page) {
  const form = /<form\b[^>]*>([\s\S]*?)<\/form>/i.exec(page.text);
  if (!form) throw new Error(`${page.url.origin}${page.url.pathname} answered ${page.status} without a form`);
  const fields = new URLSearchParams();
  for (const [input] of form[1].matchAll(/<input\b[^>]*>/gi)) {
    const name = attribute(input, 'name');
    if (name) fields.set(name, attribute(input, 'value') ?? answerTo(name));
  }
  const action = new URL(attribute(form[0], 'action') ?? page.url, page.url);
  return visit(action, { method: 'POST', body: fields });
}

function answerTo(field) {
  return { login: person, username: person, password: 'any' }[field] ?? '';
}

function attribute(tag, name) {
  return new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(tag)?.[1].replaceAll('&amp;', '&');
}

async function visit(url, options = {}) {
  const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
  const response = await fetch(url, { redirect: 'manual', headers, signal: AbortSignal.timeout(20_000), ...options });
  for (const cookie of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    if (name) cookies.set(name, value);
  }
  if (jar) writeFileSync(jar, JSON.stringify([...cookies]));
  return { url, status: response.status, location: response.headers.get('location'), text: await response.text() };
}

function note(start) {
  if (process.env.BROWSER_LOG) appendFileSync(process.env.BROWSER_LOG, `${start.origin}${start.pathname}\n`);
}
