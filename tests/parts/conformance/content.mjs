// The resources, prompts, log levels and completions of the conformance server. Names and texts are the suite's.

import { fromJsonSchema, ResourceTemplate } from '@modelcontextprotocol/server';
import { IMAGE } from './media.mjs';

const said = (...contents) => ({ messages: contents.map((content) => ({ role: 'user', content })) });
const words = (text) => ({ type: 'text', text });

export function addContent(server) {
  addResources(server);
  addPrompts(server);
  server.server.setRequestHandler('logging/setLevel', () => ({}));
  server.server.setRequestHandler('completion/complete', () => ({
    completion: { values: [], total: 0, hasMore: false },
  }));
}

function addResources(server) {
  const add = (name, mimeType, content) => {
    const uri = `test://${name}`;
    const read = () => ({ contents: [{ uri, mimeType, ...content }] });
    server.registerResource(name, uri, { description: `The suite's \`${name}\``, mimeType }, read);
  };
  add('static-text', 'text/plain', { text: 'This is the content of the static text resource.' });
  add('static-binary', 'image/png', { blob: IMAGE });
  add('watched-resource', 'text/plain', { text: 'Watched resource content' });
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  const mimeType = 'application/json';
  server.registerResource('template', template, { description: 'By its id', mimeType }, (uri, { id }) => ({
    contents: [{ uri: uri.toString(), mimeType, text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }],
  }));
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
}

function addPrompts(server) {
  const add = (name, names, prompt) => {
    const properties = Object.fromEntries(names.map((argument) => [argument, { type: 'string' }]));
    const argsSchema = names.length > 0 ? fromJsonSchema({ type: 'object', properties, required: names }) : undefined;
    server.registerPrompt(name, { description: `The suite's \`${name}\``, argsSchema }, prompt);
  };
  add('test_simple_prompt', [], () => said(words('This is a simple prompt for testing.')));
  add('test_prompt_with_arguments', ['arg1', 'arg2'], ({ arg1, arg2 }) =>
    said(words(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  );
  add('test_prompt_with_embedded_resource', ['resourceUri'], ({ resourceUri: uri }) =>
    said(
      { type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' } },
      words('Please process the embedded resource above.'),
    ),
  );
  add('test_prompt_with_image', [], () =>
    said({ type: 'image', data: IMAGE, mimeType: 'image/png' }, words('Please analyze the image above.')),
  );
}
