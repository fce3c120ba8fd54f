// The same work in Go, for comparison: what goroutines cost.
//
//	peer-go spawn|join|cond|sem|yield [COUNT]
//	peer-go echo
//
// sem is a pair of channels; yield is runtime.Gosched. GOMAXPROCS follows the
// CPUs that the process may use.
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func spawn(count int) {
	var all sync.WaitGroup
	all.Add(count)
	for i := 0; i < count; i++ {
		go all.Done()
	}
	all.Wait()
}

func join(count int) {
	done := make(chan struct{})
	for i := 0; i < count; i++ {
		go func() { done <- struct{}{} }()
		<-done
	}
}

// Plays both sides of a turn, and ends when both have.
func both(play func(me int32)) {
	var all sync.WaitGroup
	all.Add(1)
	go func() {
		play(1)
		all.Done()
	}()
	play(0)
	all.Wait()
}

func cond(count int) {
	var mutex sync.Mutex
	turned := sync.NewCond(&mutex)
	turn := int32(0)
	both(func(me int32) {
		mutex.Lock()
		for i := 0; i < count; i++ {
			for turn != me {
				turned.Wait()
			}
			turn = 1 - me
			turned.Signal()
		}
		mutex.Unlock()
	})
}

func sem(count int) {
	there, back := make(chan struct{}), make(chan struct{})
	both(func(me int32) {
		for i := 0; i < count; i++ {
			if me == 0 {
				there <- struct{}{}
				<-back
			} else {
				<-there
				back <- struct{}{}
			}
		}
	})
}

func yield(count int) {
	turn := int32(0)
	both(func(me int32) {
		for i := 0; i < count; i++ {
			for atomic.LoadInt32(&turn) != me {
				runtime.Gosched()
			}
			atomic.StoreInt32(&turn, 1-me)
		}
	})
}

func serve(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 4096)
	for {
		n, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err = connection.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func echo() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
	ending := make(chan os.Signal, 1)
	signal.Notify(ending, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-ending
		os.Exit(0)
	}()
	for {
		if connection, err := listener.Accept(); err == nil {
			go serve(connection)
		}
	}
}

func main() {
	modes := map[string]func(int){"spawn": spawn, "join": join, "cond": cond, "sem": sem, "yield": yield}
	name, count := "", 100000
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if len(os.Args) > 2 {
		count, _ = strconv.Atoi(os.Args[2])
	}
	if name == "echo" {
		echo()
	}
	mode := modes[name]
	if mode == nil || count <= 0 {
		fmt.Fprintln(os.Stderr, "usage: peer-go spawn|join|cond|sem|yield|echo [COUNT]")
		os.Exit(2)
	}
	began, before := time.Now(), cpu()
	mode(count)
	wall, used := time.Since(began), cpu()-before
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(count) }
	fmt.Printf("wall_ns=%.1f cpu_ns=%.1f wall_us=%.4f cpu_us=%.4f\n",
		each(wall), each(used), each(wall)/1e3, each(used)/1e3)
}
