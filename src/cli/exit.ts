/** Exit codes of all commands. Errors of the closed table bring their own: 1, 2 or 3. docs/cli.md lists them. */
export const exitCodes = {
  done: 0,
  /** The command did its work and found something that needs a person. */
  attention: 1,
  /** Project files or the command line are wrong. */
  wrongInput: 2,
  /** Something outside could not be reached or refused the credentials. */
  unreachable: 3,
  /** Nothing wrong so far, but not everything had an end within `--wait`. */
  stillInFlight: 4,
  /** A bug of ours, or something we did not foresee. */
  bug: 70,
} as const;
