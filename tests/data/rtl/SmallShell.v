// A small accelerator with the ports and registers of the Chisel design's XilinxShell. It executes one instruction after the
// other: LOAD of one micro-op and of rows of accumulators, ALU with an immediate, STORE of rows, FINISH; all else does nothing.
module SmallShell (
    input  wire        ap_clk,
    input  wire        ap_rst_n,
    output reg         m_axi_gmem_AWVALID, input wire m_axi_gmem_AWREADY,
    output reg  [31:0] m_axi_gmem_AWADDR,  output wire [7:0] m_axi_gmem_AWLEN,
    output reg         m_axi_gmem_WVALID,  input wire m_axi_gmem_WREADY,
    output wire [63:0] m_axi_gmem_WDATA,   output wire [7:0] m_axi_gmem_WSTRB, output wire m_axi_gmem_WLAST,
    input  wire        m_axi_gmem_BVALID,  output wire m_axi_gmem_BREADY,
    output reg         m_axi_gmem_ARVALID, input wire m_axi_gmem_ARREADY,
    output reg  [31:0] m_axi_gmem_ARADDR,  output reg [7:0] m_axi_gmem_ARLEN,
    input  wire        m_axi_gmem_RVALID,  output wire m_axi_gmem_RREADY,
    input  wire [63:0] m_axi_gmem_RDATA,   input wire m_axi_gmem_RLAST,
    input  wire        s_axi_control_AWVALID, output wire s_axi_control_AWREADY, input wire [15:0] s_axi_control_AWADDR,
    input  wire        s_axi_control_WVALID,  output wire s_axi_control_WREADY,
    input  wire [31:0] s_axi_control_WDATA,   input wire [3:0] s_axi_control_WSTRB,
    output reg         s_axi_control_BVALID,  input wire s_axi_control_BREADY,
    input  wire        s_axi_control_ARVALID, output wire s_axi_control_ARREADY, input wire [15:0] s_axi_control_ARADDR,
    output reg         s_axi_control_RVALID,  input wire s_axi_control_RREADY, output reg [31:0] s_axi_control_RDATA
);
    localparam IDLE = 0, FETCH = 1, DECODE = 2, UOP = 3, LOAD = 4, ALU = 5, ADDRESS = 6, DATA = 7, ANSWER = 8;

    reg [31:0]  registers [0:9];  // status, cycles, count, instructions, five bases, accumulator writes
    reg [63:0]  words [0:16383];  // accumulators, two numbers each
    reg [127:0] insn;
    reg [31:0]  pc, left, cycles, writes;
    reg [15:0]  tile;
    reg [2:0]   word;
    reg [3:0]   state;
    reg         beat, asked, odd;
    reg [10:0]  uop_dst;

    wire [2:0]  opcode = insn[2:0], memory = insn[9:7];
    wire [15:0] sram = insn[25:10], x_size = insn[95:80];
    wire [31:0] dram = insn[57:26];
    wire [13:0] iterations = insn[62:49];
    wire [10:0] dst_factor = insn[85:75];
    wire [31:0] immediate = {{16{insn[127]}}, insn[127:112]};

    function [31:0] alu(input [31:0] value);
        case (insn[110:108])
            0: alu = $signed(value) < $signed(immediate) ? value : immediate;
            1: alu = $signed(value) > $signed(immediate) ? value : immediate;
            2: alu = value + immediate;
            default: alu = immediate[15] ? value << (-immediate & 31) : $signed(value) >>> immediate[4:0];
        endcase
    endfunction

    wire [13:0] loaded  = (sram[10:0] + tile[10:0]) * 8 + {11'd0, word};
    wire [13:0] changed = (uop_dst + tile[10:0] * dst_factor) * 8 + {11'd0, word};
    wire [13:0] stored  = (sram[10:0] + tile[10:0]) * 8 + {11'd0, beat, 2'd0};
    wire [63:0] s0 = words[stored], s1 = words[stored + 1], s2 = words[stored + 2], s3 = words[stored + 3];

    assign m_axi_gmem_AWLEN = 1;
    assign m_axi_gmem_WSTRB = 8'hFF;
    assign m_axi_gmem_WDATA = {s3[39:32], s3[7:0], s2[39:32], s2[7:0], s1[39:32], s1[7:0], s0[39:32], s0[7:0]};
    assign m_axi_gmem_WLAST = beat;
    assign m_axi_gmem_BREADY = 1;
    assign m_axi_gmem_RREADY = 1;

    // Registers.
    wire writing = s_axi_control_AWVALID && s_axi_control_WVALID && !s_axi_control_BVALID;
    assign s_axi_control_AWREADY = writing;
    assign s_axi_control_WREADY = writing;
    assign s_axi_control_ARREADY = !s_axi_control_RVALID;

    always @(posedge ap_clk) begin
        if (!ap_rst_n) begin
            s_axi_control_BVALID <= 0;
            s_axi_control_RVALID <= 0;
        end else begin
            if (writing) s_axi_control_BVALID <= 1;
            else if (s_axi_control_BREADY) s_axi_control_BVALID <= 0;
            if (s_axi_control_ARVALID && s_axi_control_ARREADY) begin
                s_axi_control_RVALID <= 1;
                s_axi_control_RDATA <= s_axi_control_ARADDR < 40 ? registers[s_axi_control_ARADDR[5:2]] : 0;
            end else if (s_axi_control_RREADY) s_axi_control_RVALID <= 0;
        end
    end

    task ask(input [31:0] address, input [7:0] beats_less_one);
        begin
            m_axi_gmem_ARVALID <= 1;
            m_axi_gmem_ARADDR <= address;
            m_axi_gmem_ARLEN <= beats_less_one;
            asked <= 1;
        end
    endtask

    integer at;
    always @(posedge ap_clk) begin
        if (!ap_rst_n) begin
            for (at = 0; at < 10; at = at + 1) registers[at] <= 0;
            state <= IDLE;
            m_axi_gmem_ARVALID <= 0;
            m_axi_gmem_AWVALID <= 0;
            m_axi_gmem_WVALID <= 0;
            asked <= 0;
        end else begin
            cycles <= cycles + 1;
            if (m_axi_gmem_ARVALID && m_axi_gmem_ARREADY) m_axi_gmem_ARVALID <= 0;
            if (writing && s_axi_control_AWADDR < 36) registers[s_axi_control_AWADDR[5:2]] <= s_axi_control_WDATA;
            case (state)
                IDLE: if (registers[0] == 1) begin
                    pc <= registers[3];
                    left <= registers[2];
                    cycles <= 0;
                    writes <= 0;
                    beat <= 0;
                    state <= FETCH;
                end
                FETCH: if (left != 0) begin
                    if (!asked) ask(pc, 1);
                    if (m_axi_gmem_RVALID) begin
                        insn <= {m_axi_gmem_RDATA, insn[127:64]};
                        if (m_axi_gmem_RLAST) begin
                            asked <= 0;
                            pc <= pc + 16;
                            left <= left - 1;
                            state <= DECODE;
                        end
                    end
                end
                DECODE: begin
                    tile <= 0;
                    word <= 0;
                    beat <= 0;
                    state <= FETCH;
                    if (opcode == 3) begin
                        registers[0] <= 2;
                        registers[1] <= cycles;
                        registers[9] <= writes;
                        state <= IDLE;
                    end else if (opcode == 4) state <= ALU;
                    else if (x_size != 0 && opcode == 0 && memory == 0) state <= UOP;
                    else if (x_size != 0 && opcode == 0 && memory == 3) state <= LOAD;
                    else if (x_size != 0 && opcode == 1) state <= ADDRESS;
                end
                UOP: begin
                    if (!asked) ask((registers[4] | dram * 4) & ~32'd7, 0);
                    if (m_axi_gmem_RVALID) begin
                        uop_dst <= dram[0] ? m_axi_gmem_RDATA[42:32] : m_axi_gmem_RDATA[10:0];
                        asked <= 0;
                        state <= FETCH;
                    end
                end
                LOAD: begin
                    if (!asked) ask(registers[7] | (dram + {16'd0, tile}) * 64, 7);
                    if (m_axi_gmem_RVALID) begin
                        words[loaded] <= m_axi_gmem_RDATA;
                        word <= word + 1;
                        if (m_axi_gmem_RLAST) begin
                            asked <= 0;
                            tile <= tile + 1;
                            if (tile + 1 == x_size) state <= FETCH;
                        end
                    end
                end
                ALU: begin
                    words[changed] <= {alu(words[changed][63:32]), alu(words[changed][31:0])};
                    word <= word + 1;
                    if (word == 7) begin
                        tile <= tile + 1;
                        writes <= writes + 1;
                        if (tile + 1 == {2'd0, iterations}) state <= FETCH;
                    end
                end
                ADDRESS: begin
                    m_axi_gmem_AWVALID <= 1;
                    m_axi_gmem_AWADDR <= registers[8] | (dram + {16'd0, tile}) * 16;
                    if (m_axi_gmem_AWVALID && m_axi_gmem_AWREADY) begin
                        m_axi_gmem_AWVALID <= 0;
                        m_axi_gmem_WVALID <= 1;
                        state <= DATA;
                    end
                end
                DATA: if (m_axi_gmem_WREADY) begin
                    beat <= 1;
                    if (beat) begin
                        m_axi_gmem_WVALID <= 0;
                        state <= ANSWER;
                    end
                end
                ANSWER: if (m_axi_gmem_BVALID) begin
                    beat <= 0;
                    tile <= tile + 1;
                    state <= tile + 1 == x_size ? FETCH : ADDRESS;
                end
                default: state <= IDLE;
            endcase
        end
    end
endmodule
