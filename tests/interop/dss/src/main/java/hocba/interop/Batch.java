package hocba.interop;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Judges many files in one warm JVM and prints one line of JSON for each, in the order given. */
final class Batch {
    /** What a validator says of one file; the map becomes the line of JSON. */
    interface Judge {
        Map<String, Object> judge(File file);
    }

    private static final int THREADS = 2;

    private Batch() {
    }

    /** @param named files from the command line; when empty they are read from standard input, one on a line */
    static void judge(List<String> named, Judge judge) throws IOException, InterruptedException, ExecutionException {
        List<String> files = named.isEmpty() ? fromStandardInput() : named;
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        ObjectMapper json = new ObjectMapper();
        ExecutorService pool = Executors.newFixedThreadPool(THREADS);
        try {
            List<Future<String>> lines = new ArrayList<>();
            for (String file : files) {
                lines.add(pool.submit(() -> json.writeValueAsString(judge.judge(new File(file)))));
            }
            for (Future<String> line : lines) {
                out.println(line.get());
            }
        } finally {
            pool.shutdownNow();
        }
    }

    private static List<String> fromStandardInput() throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        return in.lines().filter(line -> !line.isBlank()).toList();
    }
}
