/**
 * The GraphQL that the connector speaks, checked by hand against the schema Linear publishes
 * (github.com/linear/linear, packages/sdk/src/schema.graphql). Each list states its size, because a request is charged
 * for all that it could bring.
 */
export const documents = {
  Viewer: `query Viewer { viewer { id } }`,
  Names: `query Names(
    $teams: [String!], $states: [String!], $labels: [String!], $emails: [String!], $projects: [String!], $issues: [ID!]
  ) {
    teams(filter: { key: { in: $teams } }, first: 100) { nodes { id key } }
    workflowStates(filter: { name: { in: $states } }, first: 250) { nodes { id name team { id } } }
    issueLabels(filter: { name: { in: $labels } }, first: 250) { nodes { id name team { id } } }
    users(filter: { email: { in: $emails } }, first: 100) { nodes { id email } }
    projects(filter: { name: { in: $projects } }, first: 100) { nodes { id name } }
    issues(filter: { id: { in: $issues } }, first: 50, includeArchived: true) { nodes { id team { id } } }
  }`,
  CreateIssues: `mutation CreateIssues($input: IssueBatchCreateInput!) {
    issueBatchCreate(input: $input) { success issues { id } }
  }`,
  UpdateIssue: `mutation UpdateIssue($id: String!, $input: IssueUpdateInput!) {
    issueUpdate(id: $id, input: $input) { success issue { id } }
  }`,
  Cancellation: `query Cancellation($ids: [ID!]) {
    issues(filter: { id: { in: $ids } }, first: 1, includeArchived: true) {
      nodes {
        id state { id type }
        team { id states(filter: { type: { eq: "canceled" } }, first: 50) { nodes { id type position } } }
      }
    }
  }`,
  CreateComment: `mutation CreateComment($input: CommentCreateInput!) {
    commentCreate(input: $input) { success comment { id } }
  }`,
  Issues: `query Issues($ids: [ID!]) {
    issues(filter: { id: { in: $ids } }, first: 50, includeArchived: true) {
      nodes {
        id title description priority dueDate
        team { id key } state { id name type } assignee { id email } project { id name }
        labels(first: 50) { nodes { id name } }
      }
    }
  }`,
  Comments: `query Comments($ids: [ID!]) {
    comments(filter: { id: { in: $ids } }, first: 50, includeArchived: true) { nodes { id body } }
  }`,
};
export type Operation = keyof typeof documents;
