// foreign-verdicts LIBRARY TESTDATA [--bench N]: go-sev-guest or go-tdx-guest as a process that reads a question a
// line and writes a verdict a line, for differential tests (../run.py). With --bench it asks the one question on
// standard input N times and prints microseconds instead, those of the first time apart.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// question is one line of the protocol in docs/development/differential.md. Bytes are base64.
type question struct {
	Tee     string `json:"tee"`
	Roots   string `json:"roots"`
	Product string `json:"product"`
	Now     int64  `json:"now"`

	Report []byte `json:"report"`
	Leaf   []byte `json:"leaf"`
	Table  []byte `json:"table"`
	Crl    []byte `json:"crl"`

	Quote       []byte `json:"quote"`
	TcbInfo     []byte `json:"tcbinfo"`
	QeIdentity  []byte `json:"qeid"`
	TcbChain    []byte `json:"tcb_chain"`
	PckCrl      []byte `json:"pck_crl"`
	PckCrlChain []byte `json:"pck_crl_chain"`
	RootCrl     []byte `json:"root_crl"`
	Root        []byte `json:"root"`
}

type verdict struct {
	Allowed bool   `json:"allowed"`
	Error   string `json:"error,omitempty"`
}

// examiner answers a question with the library's error, nil where it accepts.
type examiner func(question) error

// answer turns a panic into a refusal of its own name, so that one input cannot end a run.
func answer(examine examiner, q question) (out verdict) {
	defer func() {
		if cause := recover(); cause != nil {
			out = verdict{false, fmt.Sprintf("panic: %v", cause)}
		}
	}()
	if err := examine(q); err != nil {
		return verdict{false, err.Error()}
	}
	return verdict{true, ""}
}

// ownStdout keeps standard output for answers; what the libraries print goes to standard error.
func ownStdout() (*os.File, error) {
	own, err := syscall.Dup(syscall.Stdout)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(own), "answers"), syscall.Dup3(syscall.Stderr, syscall.Stdout, 0)
}

func serve(examine examiner, in *bufio.Reader, answers io.Writer) error {
	out := json.NewEncoder(answers)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var q question
		if err := json.Unmarshal(line, &q); err != nil {
			return err
		}
		if err := out.Encode(answer(examine, q)); err != nil {
			return err
		}
	}
}

func bench(examine examiner, in *bufio.Reader, answers io.Writer, count int) error {
	var q question
	if err := json.NewDecoder(in).Decode(&q); err != nil {
		return err
	}
	microseconds := func() float64 {
		start := time.Now()
		_ = examine(q)
		return float64(time.Since(start).Nanoseconds()) / 1000
	}
	first := microseconds()
	if err := examine(q); err != nil {
		return fmt.Errorf("what is measured must be allowed: %w", err)
	}
	took := make([]float64, count)
	for i := range took {
		took[i] = microseconds()
	}
	slices.Sort(took)
	return json.NewEncoder(answers).Encode(map[string]float64{
		"first_us": first, "p50_us": took[count/2], "p99_us": took[count*99/100]})
}

func run(arguments []string) error {
	count := 0
	if len(arguments) == 4 && arguments[2] == "--bench" {
		count, _ = strconv.Atoi(arguments[3])
	}
	if len(arguments) != 2 && count <= 0 {
		return fmt.Errorf("usage: foreign-verdicts go-sev-guest|go-tdx-guest TESTDATA [--bench N] < questions")
	}
	answers, err := ownStdout()
	if err != nil {
		return err
	}
	var examine examiner
	switch arguments[0] {
	case "go-sev-guest":
		roots, err := readAmdRoots(arguments[1])
		if err != nil {
			return err
		}
		examine = roots.examine
	case "go-tdx-guest":
		examine = examineTdx
	default:
		return fmt.Errorf("no library %q", arguments[0])
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	if count > 0 {
		return bench(examine, in, answers, count)
	}
	return serve(examine, in, answers)
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "foreign-verdicts:", err)
		os.Exit(1)
	}
}
