package main

import (
	"fmt"
	"path/filepath"
)

// measureMemory is what a server takes after the loads of the table, one after
// the other: reads, documents, organizations, sign-ins.
func measureMemory(b *bench) (rows []row, err error) {
	s, err := b.serve(filepath.Join(b.dir, "memory"), cheapPasswords)
	if err != nil {
		return nil, err
	}
	defer stopping(s.process, &err)
	token, err := s.organization(b.ctx, "bench")
	if err != nil {
		return nil, err
	}
	pid := s.cmd.Process.Pid
	before := resident(pid)
	if before == 0 {
		return nil, nil // not known here
	}
	const path = "/v1/organizations/bench"
	for _, l := range []load{
		{connections: getConnections, request: same(get(path, token))},
		{connections: documentClients, request: same(appendPost(nil, path+"/documents", token, newDocument))},
		{connections: createClients, request: newOrganizations("bench")},
		{connections: loginClients, request: same(signInRequest("bench"))},
	} {
		l.address, l.duration = s.address, manyRound
		o, err := l.run()
		if err == nil {
			err = o.goodOrRefused()
		}
		if err != nil {
			return nil, err
		}
	}
	return []row{{Name: "resident memory after the load", Value: float64(resident(pid)) / megabyte, Unit: "MB", AtMost: 80,
		Figures: fmt.Sprintf("%.0f MB before; 2 s each of reads, documents, organizations and sign-ins", float64(before)/megabyte)}}, nil
}
