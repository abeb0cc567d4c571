// What a person must know of. Each query is over what the app and the Functions host log; the
// phrases are those of the code (tests/infra/test_alerts.py holds the two together).
import { Tags } from '../types.bicep'

param location string
param tags Tags
param workspaceId string
param email string

var rules = [
  {
    name: 'poison'
    says: 'A message failed its last attempt and lies in the poison queue.'
    severity: 1
    every: 'PT5M'
    window: 'PT5M'
    query: 'AppTraces | where Message startswith "given up: "'
  }
  {
    name: 'lost'
    says: 'The app ended again and again with a message in hand; the next sweep puts it back.'
    severity: 2
    every: 'PT5M'
    window: 'PT5M'
    query: 'AppTraces | where Message has "Moving message to queue" and Message has "lanyard-reconcile-poison"'
  }
  {
    name: 'held-removals'
    says: 'Removals are held: read the reason, then release or dismiss them.'
    severity: 2
    every: 'PT15M'
    window: 'PT15M'
    query: 'AppTraces | where Message matches regex "^decision held: (detach|unassign|delete|remove|revoke) "'
  }
  {
    name: 'paused'
    says: 'Lanyard is paused, by a person or by itself.'
    severity: 2
    every: 'PT15M'
    window: 'PT15M'
    query: 'AppTraces | where Message startswith "decision held: " and Message has "paused by"'
  }
  {
    name: 'failed'
    says: 'Something that was to be done was refused by Azure for good.'
    severity: 2
    every: 'PT15M'
    window: 'PT15M'
    query: 'AppTraces | where Message startswith "decision failed: "'
  }
  {
    name: 'assignment-limit'
    says: 'A subscription comes near the 4,000 role assignments that Azure allows.'
    severity: 2
    every: 'PT1H'
    window: 'PT2H'
    query: 'AppTraces | where Message startswith "sweep: " and Message has "of 4,000"'
  }
  {
    name: 'nothing-heard'
    says: 'No event for a day: look at the event subscriptions.'
    severity: 2
    every: 'PT1H'
    window: 'P1D'
    query: 'AppTraces | where Message startswith "event " | summarize heard = count() | where heard == 0'
  }
  {
    name: 'no-sweep'
    says: 'No sweep has ended for three hours: lost events are not made up for.'
    severity: 1
    every: 'PT1H'
    window: 'PT3H'
    query: 'AppTraces | where Message startswith "sweep: " | summarize swept = count() | where swept == 0'
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-lanyard'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'lanyard'
    enabled: true
    emailReceivers: empty(email) ? [] : [
      {
        name: 'people'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource rule 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for each in rules: {
  name: 'lanyard-${each.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Lanyard: ${each.name}'
    description: each.says
    severity: each.severity
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: each.every
    windowSize: each.window
    // The tables are made by the first line that is logged.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: each.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    autoMitigate: true
    actions: {
      actionGroups: [people.id]
    }
  }
}]

output actionGroupId string = people.id
