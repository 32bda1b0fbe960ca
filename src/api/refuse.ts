import type { FastifyReply } from 'fastify';

/** Says no in the one form that all refusals have: `{"error": "…"}`. */
export function refuse(
  reply: FastifyReply,
  status: number,
  error = 'this request makes no sense',
): FastifyReply {
  return reply.code(status).send({ error });
}
