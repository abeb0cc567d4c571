// The types of parameters that more than one file has.

@export()
@description('What every resource of the app is tagged with.')
type Tags = {
  @description('The azd environment that it is of.')
  'azd-env-name': string
}

@export()
@description('What a policy needs, as `lanyard rights --bicep POLICY` writes it (lanyard/desk/rights.py).')
type Rights = {
  @description('Of the app\'s role.')
  actions: string[]
  @description('Under which it is assigned (version 2.0); empty where it holds no action that could assign or remove roles.')
  condition: string
  @description('Of a second role, where the policy has identities made.')
  identityActions: string[]
  @description('The resource groups of that; empty: all of the subscription.')
  identityGroups: string[]
  @description('The identities on which it is made Managed Identity Operator.')
  operatorOn: Identity[]
}

@description('An identity that is there.')
type Identity = {
  subscriptionId: string
  resourceGroup: string
  name: string
}
