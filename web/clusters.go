package web

import (
	"context"
	"net/http"

	"tenantry/app"
	"tenantry/app/tenancy"
)

type clusterView struct {
	Name          string            `json:"name"`
	Status        string            `json:"status" enum:"ok,failing"`
	Detail        string            `json:"detail,omitempty" doc:"What is wrong, where it can be told."`
	DryRun        *bool             `json:"dry_run,omitempty" nullable:"false" doc:"Nothing was changed."`
	Origin        string            `json:"origin" enum:"configuration,added" doc:"Who has it: the servers' configuration, or the registry, since it was added while they ran."`
	State         string            `json:"state" enum:"open,closing" doc:"closing: nobody moves in any more."`
	Organizations int64             `json:"organizations" doc:"Those that the registry places here."`
	Isolations    []string          `json:"isolations" nullable:"false" doc:"Those that organizations may have here."`
	Budget        *budgetView       `json:"budget,omitempty" doc:"Absent where there is no limit."`
	Engine        string            `json:"engine,omitempty" enum:"sqlite,mongodb"`
	Version       string            `json:"version,omitempty" doc:"Of the engine."`
	Capabilities  *capabilitiesView `json:"capabilities,omitempty" doc:"Absent, as all that follows, where the cluster could not be measured."`
	Namespaces    *int64            `json:"namespaces,omitempty" doc:"Collections that are there."`
	Documents     *int64            `json:"documents,omitempty"`
	Bytes         *int64            `json:"bytes,omitempty" doc:"That it takes on disk."`
}

type budgetView struct {
	MaxNamespaces int    `json:"max_namespaces" doc:"How many organizations may have a collection or a database of their own here."`
	Used          int64  `json:"used"`
	State         string `json:"state" enum:"ok,low,full" doc:"low: 80 % and more are used. full: new organizations are shared, or go elsewhere."`
}

type capabilitiesView struct {
	Isolations   []string `json:"isolations" nullable:"false"`
	Transactions bool     `json:"transactions"`
	Fenced       bool     `json:"fenced" doc:"The store itself refuses writes that are out of date. Where it does not, organizations are served, and cannot be moved."`
}

func viewCluster(c tenancy.ClusterView) clusterView {
	v := clusterView{Name: c.Name, Origin: "configuration", State: "open", Organizations: c.Organizations, Isolations: isolationWords(c.Isolations)}
	if c.Added {
		v.Origin = "added"
	}
	if c.Closing {
		v.State = "closing"
	}
	if c.Budget.Max > 0 {
		v.Budget = &budgetView{MaxNamespaces: c.Budget.Max, Used: c.Budget.Used, State: string(c.Budget.State())}
	}
	v.Status, v.Detail = healthWords(c.Health)
	if u := c.Usage; u != nil {
		v.Engine, v.Version = u.Engine, u.Version
		v.Capabilities = &capabilitiesView{Isolations: isolationWords(u.Isolations), Transactions: u.Transactions, Fenced: u.Fenced}
		v.Namespaces, v.Documents, v.Bytes = &u.Namespaces, &u.Documents, &u.Bytes
	}
	return v
}

func isolationWords(isolations []app.Isolation) []string {
	list := make([]string, len(isolations))
	for i, isolation := range isolations {
		list[i] = string(isolation)
	}
	return list
}

type listClustersOutput struct {
	Body struct {
		Items []clusterView `json:"items" nullable:"false"`
	}
}

func (s *Server) listClusters(ctx context.Context, _ *struct{}) (*listClustersOutput, error) {
	clusters, err := s.services.Tenancy.Clusters(ctx, callOf(ctx).actor)
	if err != nil {
		return nil, err
	}
	out := &listClustersOutput{}
	out.Body.Items = make([]clusterView, len(clusters))
	for i, c := range clusters {
		out.Body.Items[i] = viewCluster(c)
	}
	return out, nil
}

type addClusterInput struct {
	Body struct {
		Name          string   `json:"name" doc:"1 to 40 lower-case letters, digits and hyphens."`
		URL           string   `json:"url" doc:"A MongoDB connection string, or sqlite: and a folder, as in the configuration. It is kept sealed and never shown again."`
		Shards        int      `json:"shards,omitempty" minimum:"1" maximum:"1024" doc:"Of a folder: over how many files new organizations are spread. Absent: 64."`
		Isolations    []string `json:"isolations,omitempty" nullable:"false" enum:"collection,shared,database" doc:"How organizations may be kept apart here. Absent: in every way."`
		MaxNamespaces int      `json:"max_namespaces,omitempty" minimum:"0" maximum:"10000000" doc:"How many organizations may have a collection or a database of their own here. Absent: no limit."`
		DryRun        bool     `json:"dry_run,omitempty" doc:"Only find out whether it can be added."`
	}
}

type addClusterOutput struct {
	Status   int
	Location string `header:"Location"`
	Body     *clusterView
}

func (s *Server) addCluster(ctx context.Context, in *addClusterInput) (*addClusterOutput, error) {
	added, err := s.services.Tenancy.AddCluster(ctx, callOf(ctx).actor, tenancy.AddClusterInput{Name: in.Body.Name, URL: in.Body.URL,
		Shards: in.Body.Shards, Isolations: in.Body.Isolations, MaxNamespaces: in.Body.MaxNamespaces}, in.Body.DryRun)
	if err != nil {
		return nil, err
	}
	v := viewCluster(added)
	if in.Body.DryRun {
		v.DryRun = &in.Body.DryRun
		return &addClusterOutput{Status: http.StatusOK, Body: &v}, nil
	}
	return &addClusterOutput{Status: http.StatusCreated, Location: s.opts.PublicURL + "/v1/clusters", Body: &v}, nil
}

type removeClusterInput struct {
	Cluster string `path:"cluster" doc:"The cluster's name."`
	DryRun  bool   `query:"dry_run" doc:"Only find out whether it can be removed."`
}

type clusterOutput struct{ Body *clusterView }

func (s *Server) removeCluster(ctx context.Context, in *removeClusterInput) (*clusterOutput, error) {
	removed, err := s.services.Tenancy.RemoveCluster(ctx, callOf(ctx).actor, in.Cluster, in.DryRun)
	if err != nil {
		return nil, err
	}
	v := viewCluster(removed)
	if in.DryRun {
		v.DryRun = &in.DryRun
	}
	return &clusterOutput{&v}, nil
}

type doctorInput struct {
	Body struct {
		Repair bool `json:"repair,omitempty" doc:"Mend what no data can be lost by."`
	}
}

type findingView struct {
	Kind           string `json:"kind" doc:"A stable word." enum:"cluster_away,namespace_missing,namespace_misnamed,namespace_unfenced,namespace_orphan,namespaces_low,operation_stuck,organization_adrift"`
	OrganizationID string `json:"organization_id,omitempty" format:"uuid"`
	Cluster        string `json:"cluster,omitempty"`
	Database       string `json:"database,omitempty"`
	Collection     string `json:"collection,omitempty"`
	OperationID    string `json:"operation_id,omitempty" format:"uuid"`
	Detail         string `json:"detail"`
	Repaired       bool   `json:"repaired"`
}

type doctorOutput struct {
	Body struct {
		Findings []findingView `json:"findings" nullable:"false" doc:"Empty: all is as it should be."`
	}
}

func (s *Server) doctor(ctx context.Context, in *doctorInput) (*doctorOutput, error) {
	findings, err := s.services.Tenancy.Doctor(ctx, callOf(ctx).actor, in.Body.Repair)
	if err != nil {
		return nil, err
	}
	out := &doctorOutput{}
	out.Body.Findings = make([]findingView, len(findings))
	for i, f := range findings {
		out.Body.Findings[i] = findingView{
			Kind: f.Kind, OrganizationID: string(f.Organization), Cluster: f.Cluster, Database: f.Database,
			Collection: f.Collection, OperationID: string(f.Operation), Detail: f.Detail, Repaired: f.Repaired,
		}
	}
	return out, nil
}
