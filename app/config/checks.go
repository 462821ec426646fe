package config

import (
	"encoding/base64"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

func required(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("it must not be empty")
	}
	return nil
}

func checkAddress(s string) error {
	_, port, err := net.SplitHostPort(s)
	n, portErr := strconv.Atoi(port)
	if err != nil || portErr != nil || n < 0 || n > 65535 {
		return errors.New(`it must be an address and a port, such as "127.0.0.1:8000" or ":8000"`)
	}
	return nil
}

func optional(check func(string) error) func(string) error {
	return func(s string) error {
		if s == "" {
			return nil
		}
		return check(s)
	}
}

func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errors.New(`it must be a URL such as "https://orgs.example.com"`)
	}
	return nil
}

func checkOrigin(s string) error {
	if s == "*" {
		return errors.New(`"*" would let any web page act for whoever visits it; name the origins`)
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || s != u.Scheme+"://"+u.Host {
		return errors.New(`each must be an origin such as "https://app.example.com", without a path`)
	}
	return nil
}

func checkCIDR(s string) error {
	if _, err := netip.ParsePrefix(s); err != nil {
		return errors.New(`each must be a network such as "10.0.0.0/8" or, for one address, "192.0.2.7/32"`)
	}
	return nil
}

func checkSealKey(s string) error {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(raw) != 32 {
		return errors.New(`it must be 32 bytes in base64, as "openssl rand -base64 32" makes them`)
	}
	return nil
}

func checkStorageURL(s string) error {
	path, sqlite := strings.CutPrefix(s, "sqlite:")
	switch {
	case strings.HasPrefix(s, "mongodb://"), strings.HasPrefix(s, "mongodb+srv://"):
		return errors.New("this version has no MongoDB engine yet; use sqlite:PATH")
	case !sqlite || path == "":
		return errors.New("it must be sqlite:PATH, relative to the data folder")
	case strings.HasPrefix(path, "//"), strings.ContainsAny(path, "?#%\x00"):
		return errors.New("the path after sqlite: must be plain, without //, ?, # or %")
	}
	return nil
}

var clusterName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

func checkClusterName(s string) error {
	if !clusterName.MatchString(s) {
		return errors.New("a cluster's name is 1 to 40 lower-case letters, digits and hyphens")
	}
	return nil
}
