// The pages that a person sees at the issuer: who are you, and may this program act for you.
// Plain forms, so that a script can post them: a field `login`, a field `password`, or a bare button.

/** Serves `/interaction/UID`: GET shows the page, POST takes its answer; `entered` hears of each password. */
export function pages(provider, entered) {
  return async (request, response) => {
    try {
      const interaction = await provider.interactionDetails(request, response);
      if (request.method === 'POST') {
        const form = new URLSearchParams(await body(request));
        if (form.has('password')) entered();
        const result = await take(provider, interaction, form);
        await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
      } else {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
        response.end(show(interaction));
      }
    } catch (error) {
      response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' });
      response.end(`This sign-in has ended (${error.message}). Start it again from the program.`);
    }
  };
}

function show({ prompt, params }) {
  const client = escape(String(params.client_id));
  if (prompt.name === 'login') {
    return page('Sign in', `
      <p>Any name will do; so will any password.</p>
      <label>User name <input name="login" autofocus autocomplete="username" required></label>
      <label>Password <input name="password" type="password" autocomplete="current-password"></label>
      <button>Sign in</button>`);
  }
  return page('Allow access', `
    <p>The program <code>${client}</code> asks for: ${escape(String(params.scope ?? 'your name'))}.</p>
    <button autofocus>Allow</button>`);
}

async function take(provider, interaction, form) {
  if (interaction.prompt.name === 'login') {
    const accountId = form.get('login')?.trim();
    return accountId ? { login: { accountId } } : { error: 'access_denied', error_description: 'no user name' };
  }
  return { consent: { grantId: await allow(provider, interaction) } };
}

/** Grants everything that was asked for. */
async function allow(provider, { grantId, prompt, params, session }) {
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  return grant.save();
}

/** Where a code is typed in (RFC 8628): `form` is the provider's own, with a field `user_code`. */
export async function codePage(context, form) {
  context.body = devicePage('Type in the code', `${form}<button form="op.deviceInputForm">Go on</button>`);
}

/** The code is right: is it really the person's? */
export async function confirmPage(context, form) {
  context.body = devicePage('Is this your code?', `${form}<button form="op.deviceConfirmForm">Yes</button>`);
}

/** The person can go back to the other device. */
export async function donePage(context) {
  context.body = devicePage('You are signed in', '<p>Go back to the other device.</p>');
}

function devicePage(title, content) {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body><h1>${title}</h1>${content}</body></html>`;
}

/** What a request brings. */
export async function body(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

function page(title, form) {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { display: grid; place-items: center; min-height: 90vh; margin: 0 }
  form { display: grid; gap: 1rem; width: min(22rem, 90vw) }
  label { display: grid; gap: .25rem }
  input, button { font: inherit; padding: .5rem }
</style></head>
<body><script>
  // What a person sees: that the page is there, and what they have typed.
  addEventListener('load', () => fetch('/__drawn', { method: 'POST' }));
  addEventListener('input', ({ target }) => fetch('/__typed', { method: 'POST', body: target.value }));
</script>
<form method="post" autocomplete="off"><h1>${title}</h1>${form}</form></body></html>`;
}

function escape(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
