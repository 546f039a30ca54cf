// One node of OpenSearch on loopback: Node DIR PORT.
import org.codelibs.opensearch.runner.OpenSearchRunner;

public class Node {
    public static void main(String[] arguments) throws Exception {
        new OpenSearchRunner()
            .onBuild((number, settings) -> {
                settings.put("http.port", arguments[1]);
                settings.put("network.host", "127.0.0.1");
                settings.put("discovery.type", "single-node");
            })
            .build(OpenSearchRunner.newConfigs()
                .basePath(arguments[0]).clusterName("logs").numOfNode(1).disableESLogger());
        Thread.currentThread().join();
    }
}
