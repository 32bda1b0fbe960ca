import type { Finding } from './connector.ts';

/**
 * Looks at each topic that actions name. Where none does, at one that nobody has: that it is missing is then no finding, but
 * the answer proves the credentials.
 */
export async function checkTopics(
  topics: readonly string[],
  look: (topic: string, isWanted: boolean) => Promise<Finding | undefined>,
): Promise<Finding[]> {
  const isWanted = topics.length > 0;
  const findings: Finding[] = [];
  for (const topic of new Set(isWanted ? topics : ['readback-doctor'])) {
    const finding = await look(topic, isWanted);
    if (finding) findings.push(finding);
  }
  return findings;
}
