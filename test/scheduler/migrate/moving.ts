/** What tests of a move have in common: run it, and ask whether every setting was told of. */
import { expect } from 'vitest';
import { validateMeshConfig } from '../../../agent-proxy/config/validate-mesh.ts';
import { Draft, type Finding, type Migration } from '../../../scheduler/migrate/draft.ts';
import { moveConfigText } from '../../../scheduler/migrate/linkerd-config.ts';
import { withConfig } from '../../../scheduler/migrate/with-config.ts';
import { type JsonObject, optionFaults, renderedApp } from '../../dcos-package/catalog.ts';
import { appFaults } from '../../dcos-package/marathon-rules.ts';

export function moved(move: (draft: Draft) => void): Migration {
  const draft = new Draft();
  move(draft);
  return withConfig(draft.result());
}

export const movedConfig = (yaml: string): Migration => moved((draft) => moveConfigText(yaml, 'config', draft));

/** The findings at a place or below it, each as `verdict place → becomes`. */
export function told({ findings }: Migration, place: string): string[] {
  return findings
    .filter((finding) => covers(place, finding.place))
    .map(({ verdict, place: at, becomes }) => `${verdict} ${at}${becomes === null ? '' : ` → ${becomes}`}`);
}

/** What Cosmos would send to Marathon; fails where it would not. */
export function renderedWith({ options }: Migration): JsonObject {
  const given = options as unknown as JsonObject;
  expect(optionFaults(given)).toEqual([]);
  const app = renderedApp(given);
  expect(appFaults(app)).toEqual([]);
  return app;
}

export function expectUsable(migration: Migration): void {
  renderedWith(migration);
  const { outgoing_port, incoming_port, admin_port, edge_port } = migration.options['proxies'] ?? {};
  const ports = {
    ...{ outgoing: Number(outgoing_port ?? 4140), incoming: Number(incoming_port ?? 4141) },
    ...{ admin: Number(admin_port ?? 9990), edge: Number(edge_port ?? 4143) },
  };
  const { errors, warnings } = validateMeshConfig(migration.config ?? '{}', ports);
  expect(errors).toEqual([]);
  expect(warnings.filter((warning) => warning.includes('no effect'))).toEqual([]);
}

/** The places of all values in a document that nothing was said of. */
export function untold(document: unknown, root: string, findings: readonly Finding[]): string[] {
  const places = findings.map(({ place }) => place.replace(/ \(.*\)$/, ''));
  const leaves = (value: unknown, place: string): string[] => {
    if (value === null || value === '') return [];
    if (Array.isArray(value)) return value.flatMap((each, index) => leaves(each, `${place}[${index}]`));
    if (typeof value !== 'object') return [place];
    return Object.entries(value).flatMap(([key, each]) => leaves(each, place === '' ? key : `${place}.${key}`));
  };
  return leaves(document, root).filter((leaf) => !places.some((place) => covers(place, leaf)));
}

const covers = (outer: string, inner: string): boolean =>
  inner === outer || (inner.startsWith(outer) && /^[.[ ]/.test(inner.slice(outer.length)));
