// Reads a `librechat.yaml` as LibreChat does: its own schema, of its own package. Prints what the schema makes of it.

import fs from 'node:fs';
import yaml from 'js-yaml';
import { configSchema } from 'librechat-data-provider';

const read = configSchema.safeParse(yaml.load(fs.readFileSync(process.argv[2], 'utf8')));
console.log(JSON.stringify({ success: read.success, data: read.data, error: read.error?.issues }));
