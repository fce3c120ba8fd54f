// 2,000 threads that share a queue, a lock and a barrier; exceptions that the JVM makes of
// signals; an accept that a close wakes.
import java.net.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;

public class Many {
  static long sum;

  static int depth(int n) { return 1 + depth(n + 1); }

  static void signals(Object nothing) {
    try {
      nothing.hashCode();
      throw new AssertionError("no NullPointerException");
    } catch (NullPointerException expected) { }
    try {
      depth(0);
      throw new AssertionError("no StackOverflowError");
    } catch (StackOverflowError expected) { }
  }

  public static void main(String[] arguments) throws Exception {
    int n = Integer.parseInt(arguments[0]);
    CyclicBarrier together = new CyclicBarrier(n);
    BlockingQueue<Integer> queue = new ArrayBlockingQueue<>(64);
    AtomicInteger done = new AtomicInteger();
    Thread[] threads = new Thread[n];
    for (int i = 0; i < n; i++) {
      int number = i;
      threads[i] = new Thread(() -> {
        try {
          together.await();
          if (number % 20 == 0) signals(null);
          for (int k = 0; k < 10; k++) {
            if (number % 2 == 0) queue.put(number);
            else queue.take();
            synchronized (together) { sum += number; }
          }
          byte[] garbage = new byte[100000];
          if (garbage.length > 0) done.incrementAndGet();
        } catch (Exception e) {
          throw new RuntimeException(e);
        }
      });
      threads[i].start();
    }
    for (Thread t : threads) t.join();
    System.gc();

    ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    Thread closer = new Thread(() -> {
      try {
        Thread.sleep(50);
        server.close();
      } catch (Exception e) {
        throw new RuntimeException(e);
      }
    });
    closer.start();
    try {
      server.accept();
    } catch (SocketException closed) {
      System.out.println("accept ended");
    }
    Thread sleeper = new Thread(() -> {
      try {
        Thread.sleep(100000);
      } catch (InterruptedException e) {
        System.out.println("interrupted");
      }
    });
    sleeper.start();
    Thread.sleep(20);
    sleeper.interrupt();
    sleeper.join();
    System.out.println(done + " threads, sum " + sum);
    while (arguments.length > 1) Thread.sleep(1000);
  }
}
