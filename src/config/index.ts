export { type Fingerprints, fingerprints } from './fingerprint.ts';
export { type LoadOptions, loadProject } from './project.ts';
export { jsonSchemas } from './schemas.ts';
export { parseSelection, type Selected, type Selection, select } from './select.ts';
