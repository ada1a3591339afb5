# Who is killed where no memory is left: not who has most, but who has most points with its oom_score_adj.
# tolerance 4%
machine nodes=1 node_mem=1G cpus_per_node=2
sysctl vm.overcommit_memory 1
spawn big
@big cpu 1
@big map a 300M anon thp=nohugepage
@big touch a
@big oom_score_adj -500
@big oom_score_adj 1001
spawn small
@small cpu 1
@small map a 100M anon thp=nohugepage
@small touch a
spawn never
@never cpu 0
@never oom_score_adj -1000
@never map a 900M anon thp=nohugepage
@never touch a 0 500M
sleep 300
@big touch a
@small touch a
@never fork c
@c oom_score_adj 300
@c map b 300M anon thp=nohugepage
@c touch b
sleep 300
@never touch a 0 500M
@big touch a
@never exit
@big exit
